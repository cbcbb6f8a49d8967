// bridge.mjs - starts the simulator and entrabridge for the contract tests, and speaks to both.
import { execFile, execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { awaitLine, freePort } from './prism.mjs';

export const TENANT = '11111111-2222-4333-8444-555555555555';
export const CLIENT = 'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee';
export const CLOUD_ID = '77777777-2222-4333-8444-555555555555';
const KINDS = ['user.get', 'user.enable', 'user.disable', 'group.get', 'group.add_member', 'group.remove_member', 'user.reset_password',
    'user.issue_access_pass', 'user.revoke_sessions', 'user.reset_mfa', 'user.set_manager', 'user.remove_manager', 'user.assign_licenses',
    'user.remove_licenses', 'user.delete', 'user.invite', 'user.list_groups', 'user.search', 'group.list_members'];
const START_LIMIT_MS = 20_000;

const PLAIN_POLICY = `policy:
  serviceable_groups:
    - {group: "VPN Users", projects: [ITSM]}
    - {group: "O'Brien's Team", projects: "*"}
    - {group: "Sales DE", projects: "*"}
    - {group: "All Berlin", projects: "*"}
    - {group: "Role Admins", projects: "*"}
    - {group: "Twins", projects: "*"}
    - {group: "No such group", projects: "*"}
    - {group: "Project Phoenix", projects: "*"}
  protected: {users: [breakglass@contoso.com], groups: ["Tier 0 admins"], directory_roles: true}
  operations:
${KINDS.map((kind) => `    ${kind}: {projects: [ITSM, HR]}`).join('\n')}
    user.update: {projects: [ITSM], attributes: [jobTitle, employeeOrgData, onPremisesExtensionAttributes, employeeLeaveDateTime, preferredLanguage]}
    user.create: {projects: [ITSM], user_principal_name: "{givenName}.{surname}@contoso.com", attributes: [jobTitle, department, usageLocation]}
    user.restore: {projects: [ITSM], approval: required}
    user.onboard: {projects: [ITSM], user_principal_name: "{givenName}.{surname}@contoso.com", attributes: [jobTitle, department, usageLocation]}
    user.transfer: {projects: [ITSM], attributes: [department]}
    user.offboard: {projects: [ITSM]}
  group_rules:
    - {when: {department: Sales}, groups: ["VPN Users"]}
    - {when: {department: Arts}, groups: ["O'Brien's Team"]}
`;

// One group or operation for each condition that makes a read of its own.
const BOUND = 'bind: {user: customfield_10050, group: customfield_10051}';
export const CONDITIONS = `policy:
  serviceable_groups:
    - {group: "VPN Users", projects: [ITSM], approval: required, approvers: "group:Access Approvers", approval_max_age: 30d, ${BOUND}, max_duration: 30d}
    - {group: "Sales DE", projects: [ITSM], approval: required, approvals: 2}
    - {group: "CRM", projects: [ITSM], requester: "group:Access Approvers"}
    - {group: "Project Phoenix", projects: [ITSM], request_types: ["25"], statuses: ["In Progress"], max_age: 30d, mode: shadow}
    - {group: "O'Brien's Team", projects: [ITSM]}
  separation_of_duties:
    - groups: ["O'Brien's Team", "Sales DE"]
  protected: {users: [breakglass@contoso.com], groups: ["Tier 0 admins"], directory_roles: true}
  operations:
    group.add_member: {projects: [ITSM]}
    user.reset_password: {projects: [ITSM], requester: manager}
    user.revoke_sessions: {projects: [ITSM], requester: self}
    user.update: {projects: [ITSM], attributes: [mobilePhone, otherMails], sensitive: true, approval: required, bind: {user: customfield_10050}}
    user.list_groups: {projects: [ITSM]}
    user.search: {projects: [ITSM]}
`;

export class Simulator {
    // certificate: of the application, for client assertions. options: further words of its command line
    static async start(build, certificate, ...options) {
        const sim = new Simulator();
        sim.child = spawn(`${build}/sim/entrabridge-sim`, ['--port', '0', '--client-cert', certificate, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
        const found = await awaitLine(sim.child, /listening on http:\/\/127\.0\.0\.1:(\d+)/, 'the simulator', START_LIMIT_MS);
        sim.child.stdout.resume();
        sim.child.stderr.resume();
        sim.port = Number(found[1]);
        return sim;
    }

    async control(method, what, body) {
        const answer = await fetch(`http://127.0.0.1:${this.port}/sim/${what}`, {
            method, ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
        });
        if (!answer.ok)
            throw new Error(`simulator: ${method} /sim/${what}: ${answer.status} ${await answer.text()}`);
        return answer.json().catch(() => null);
    }

    // Until so many comments of that operation stand on the issue.
    async awaitComment(issue, operation) {
        const { satisfied } = await this.control('POST', 'wait', { issue, operation, comments: 1, timeout_ms: 20_000 });
        return satisfied;
    }

    stop() {
        this.child.kill('SIGTERM');
    }
}

// The sections of the synchronization: JSON is YAML too.
function sections(frontPort, { assets, sync, gateway }) {
    const where = gateway ? {} : { api_url: `http://127.0.0.1:${frontPort}` };
    return sync ? `assets: ${JSON.stringify({ ...where, ...assets })}\nsync: ${JSON.stringify({ every: 'never', ...sync })}\n` : '';
}

function configText(port, frontPort, variant) {
    const front = `http://127.0.0.1:${frontPort}`;
    const secret = variant.certificate
        ? `client_certificate: {certificate: ${variant.certificate}.crt, key: ${variant.certificate}.key}`
        : 'client_secret: {file: client-secret}';
    return `listen: {address: "127.0.0.1:${port}"}
store: "sqlite:entrabridge.db"
entra:
  tenant_id: ${TENANT}
  client_id: ${CLIENT}
  ${secret}
  authority_url: ${front}
  graph_url: ${front}/v1.0
jira:
  site_url: https://example.atlassian.net
  api_url: ${front}${variant.gateway ? `/ex/jira/${CLOUD_ID}` : ''}
${variant.gateway ? '' : '  email: bridge@contoso.com\n'}  api_token: {file: jira-token}
${variant.policy ?? PLAIN_POLICY}${sections(frontPort, variant)}`;
}

function writeSecret(directory, name, value) {
    fs.writeFileSync(path.join(directory, name), value, { mode: 0o600 });
}

export class Bridge {
    // variant: { gateway: Bearer over the gateway URL, certificate: path without .crt and .key, policy: text, assets and sync: the sections }
    static async prepare(build, frontPort, variant = {}) {
        const bridge = new Bridge();
        bridge.build = build;
        bridge.frontPort = frontPort;
        bridge.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'entrabridge-contract-'));
        bridge.port = await freePort();
        bridge.config = path.join(bridge.directory, 'entrabridge.yaml');
        writeSecret(bridge.directory, 'client-secret', 'sim-client-secret');
        writeSecret(bridge.directory, 'jira-token', 'sim-jira-token');
        writeSecret(bridge.directory, 'import-token', 'sim-import-token');
        bridge.configure(variant);
        return bridge;
    }

    configure(variant) {
        fs.writeFileSync(this.config, configText(this.port, this.frontPort, variant));
    }

    static async start(build, frontPort, variant = {}) {
        const bridge = await Bridge.prepare(build, frontPort, variant);
        const program = path.resolve(build, 'entrabridge');
        bridge.token = execFileSync(program, ['token', 'create', '--config', bridge.config, '--name', 'contract', '--operations', '*',
            '--projects', '*'], { encoding: 'utf8' }).trim();
        bridge.log = path.join(bridge.directory, 'log');
        const log = fs.openSync(bridge.log, 'w');
        bridge.child = spawn(program, ['serve', '--config', bridge.config], { stdio: ['ignore', log, log] });
        bridge.ended = new Promise((done) => bridge.child.once('exit', (code, signal) => done(signal ?? code)));
        await bridge.#awaitReady();
        return bridge;
    }

    async #awaitReady() {
        let end = null, last = 'no answer';
        this.ended.then((code) => { end = `ended with ${code}`; });
        for (const limit = Date.now() + START_LIMIT_MS; Date.now() < limit && end === null;) {
            const answer = await fetch(`http://127.0.0.1:${this.port}/readyz`).catch(() => null);
            if (answer?.status === 200)
                return;
            last = answer ? await answer.text() : last;
            await new Promise((next) => setTimeout(next, 50));
        }
        this.child.kill('SIGKILL');
        throw new Error(`entrabridge did not get ready (${end ?? last}); its log:\n${fs.readFileSync(this.log, 'utf8')}`);
    }

    // The kinds that this binary offers, as its OpenAPI document names them.
    async kinds() {
        const { paths } = await (await fetch(`http://127.0.0.1:${this.port}/openapi.json`)).json();
        return Object.values(paths).map((methods) => methods.post?.operationId).filter((name) => /^(user|group)\./.test(name));
    }

    // A command of the program, beside the service: -> { end, text, out }
    run(...words) {
        return new Promise((done) => execFile(path.resolve(this.build, 'entrabridge'), [...words, '--config', this.config], { timeout: 120_000, maxBuffer: 16 << 20 },
            (error, out, err) => done({ end: error ? error.code ?? error.signal : 0, text: out + err, out })));
    }

    async post(where, body) {
        const answer = await fetch(`http://127.0.0.1:${this.port}${where}`, {
            method: 'POST', body: JSON.stringify(body),
            headers: { 'content-type': 'application/json', authorization: `Bearer ${this.token}` },
        });
        return { status: answer.status, body: await answer.json() };
    }

    forget() {
        fs.rmSync(this.directory, { recursive: true, force: true });
    }

    async stop() {
        this.child.kill('SIGTERM');
        const end = await this.ended;
        const log = fs.readFileSync(this.log, 'utf8');
        this.forget();
        return { end, log };
    }
}
