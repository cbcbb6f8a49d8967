// run.mjs CONTRACTS BUILD - drives entrabridge against the simulator with Prism between them, and lists what a contract refused.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { Bridge, CLIENT, CONDITIONS, Simulator, TENANT } from './bridge.mjs';
import * as cases from './cases.mjs';
import { Front } from './front.mjs';
import { call } from './prism.mjs';
import { runSimulator } from './simulator.mjs';
import { runSync } from './sync.mjs';

const [contracts, build] = process.argv.slice(2);
const counts = { passed: 0, failed: 0 };

function tell(name, faults) {
    counts[faults.length === 0 ? 'passed' : 'failed']++;
    console.log(`${faults.length === 0 ? 'ok   ' : 'FAIL '} ${name}`);
    for (const fault of faults)
        console.log(`        ${fault}`);
}

const describe = (v) => `${v.cloud}, ${v.side} of ${v.call}: ${v.message}`;

// What was answered otherwise than wanted. No `want`: any answer but a 5xx, since the write may have left.
function differences(answer, want) {
    const text = JSON.stringify(answer.body).slice(0, 400);
    if (want === null)
        return answer.status < 500 ? [] : [`answered ${answer.status} though a write may have left: ${text}`];
    const { status, ...members } = want;
    const faults = answer.status === status ? [] : [`answered ${answer.status}, wanted ${status}: ${text}`];
    for (const [name, value] of Object.entries(members))
        if (answer.body[name] !== value)
            faults.push(`${name} is ${JSON.stringify(answer.body[name])}, wanted ${JSON.stringify(value)}: ${text}`);
    return faults;
}

// What is asked once the fault of a case has acted: each must come to its end.
async function runBesides(c, { bridge, sim }) {
    await sim.control('POST', 'wait', { calls: { path: c.faults[0].match.path, method: c.faults[0].match.method, count: 1 }, timeout_ms: 10_000 });
    const ended = await Promise.all(c.besides.map(async (b) => {
        const answer = await bridge.post(b.path, b.body);
        return await sim.awaitComment(b.body.issue, answer.body.operation) ? [] : [`no comment arrived on ${b.body.issue}: ${JSON.stringify(answer)}`];
    }));
    return ended.flat();
}

async function runCase(c, { bridge, sim, front }) {
    if (c.faults)
        await sim.control('POST', 'faults', c.faults);
    if (c.issues)
        await sim.control('POST', 'issues', c.issues);
    if (c.edit)
        await sim.control('POST', 'issues', c.edit);
    if (c.tokensGone)
        await sim.control('DELETE', 'tokens');
    const asked = bridge.post(c.path, c.body);
    const others = c.besides ? await runBesides(c, { bridge, sim }) : [];
    const answer = await asked;
    const faults = differences(answer, c.want).concat(others);
    if (c.comment && !await sim.awaitComment(c.issueKey ?? c.body.issue, answer.body.operation))
        faults.push(`no comment arrived for operation ${answer.body.operation}`);
    await front.settled();
    await sim.control('DELETE', 'faults');
    tell(c.why, faults.concat(front.violations.splice(0).map(describe)));
}

async function runCommand(words, { bridge, front }) {
    const { end, text } = await bridge.run(...words);
    await front.settled();
    tell(`entrabridge ${words.join(' ')}`, [...(end === 0 ? [] : [`ended with ${end}: ${text}`]), ...front.violations.splice(0).map(describe)]);
}

// A kind that was added and has no case here would go unjudged.
async function runCoverage(list, { bridge }) {
    const driven = new Set(list.filter((c) => c.want?.status === 200).map((c) => c.path.slice('/v1/'.length).replace('/', '.').replaceAll('-', '_')));
    for (const kind of await bridge.kinds())
        tell(`driven to its end: ${kind}`, driven.has(kind) ? [] : ['no case of cases.mjs does it']);
}

// lastCall: waited for at the end, while entrabridge still runs.
async function runCases(title, list, world, { lastCall, settings, commands = [], coverage, ...variant } = {}) {
    console.log(`\n${title}`);
    await world.sim.control('POST', 'reset');
    if (settings)
        await world.sim.control('POST', 'settings', settings);
    const bridge = await Bridge.start(build, world.front.port, variant);
    try {
        await world.front.settled();
        tell('the calls of the start', world.front.violations.splice(0).map(describe));
        for (const c of list)
            await runCase(c, { ...world, bridge });
        for (const words of commands)
            await runCommand(words, { ...world, bridge });
        if (coverage)
            await runCoverage(coverage, { bridge });
        if (lastCall) {
            const { satisfied } = await world.sim.control('POST', 'wait', { calls: lastCall, timeout_ms: 60_000 });
            await world.front.settled();
            tell(`then ${lastCall.method} ${lastCall.path}`, (satisfied ? [] : ['was never sent']).concat(world.front.violations.splice(0).map(describe)));
        }
    } finally {
        const { end, log } = await bridge.stop();
        tell('stopped as it should', end === 0 ? [] : [`ended with ${end}; its last lines:\n${log.split('\n').slice(-20).join('\n')}`]);
    }
}

// Credentials for calls that go past entrabridge.
async function credentials(front) {
    const body = new URLSearchParams({ client_id: CLIENT, client_secret: 'sim-client-secret', grant_type: 'client_credentials',
        scope: 'https://graph.microsoft.com/.default' }).toString();
    const answer = await call(front.port, { method: 'POST', path: `/${TENANT}/oauth2/v2.0/token`, body,
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) } });
    return { graph: `Bearer ${JSON.parse(answer.body).access_token}`, jira: `Basic ${Buffer.from('bridge@contoso.com:sim-jira-token').toString('base64')}` };
}

// The tests of the tests: each wrong call or answer must be noticed, or the green of the rest means nothing.
async function runWrong({ sim, front }) {
    console.log('\nwhat the validators must notice');
    await sim.control('POST', 'reset');
    const authorization = await credentials(front);
    for (const c of cases.wrong) {
        if (c.fault)
            await sim.control('POST', 'faults', c.fault);
        const body = c.body && JSON.stringify(c.body);
        await call(front.port, { method: c.method, path: c.path, body, headers: { authorization: authorization[c.cloud ?? 'graph'],
            ...(body ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {}) } });
        await front.settled();
        await sim.control('DELETE', 'faults');
        const found = front.violations.splice(0);
        tell(c.why, found.some((v) => v.side === c.side) ? [] : [`not noticed; found: ${found.map(describe).join('; ') || 'nothing'}`]);
    }
}

function makeCertificate(directory) {
    const base = path.join(directory, 'client');
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=entrabridge contract test', '-days', '2',
        '-keyout', `${base}.key`, '-out', `${base}.crt`], { stdio: 'ignore' });
    fs.chmodSync(`${base}.key`, 0o600);
    return base;
}

async function main() {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'entrabridge-contract-'));
    const certificate = makeCertificate(directory);
    const sim = await Simulator.start(build, `${certificate}.crt`);
    const front = await Front.start(contracts, sim.port);
    const world = { sim, front };
    try {
        await runWrong(world);
        await runSimulator(world, await credentials(front), tell);
        front.seen.clear();
        await runCases('operations, secret and Basic at the site URL', [...cases.plain, ...cases.refusals], world);
        await runCases('every kind of operation', cases.kinds, world,
            { settings: { app_role: 'user-administrator' }, coverage: [...cases.plain, ...cases.kinds] });
        await runCases('conditions of the policy, lists in pages', cases.conditions, world,
            { settings: { app_role: 'user-administrator', page_size: 2 }, policy: CONDITIONS, commands: cases.commands });
        await runCases('operations under faults', cases.faults, world, { lastCall: cases.lastCall });
        await runCases('writes that wait', cases.waiting, world);
        await runCases('certificate, Bearer over the gateway URL', cases.variants, world, { gateway: true, certificate });
        console.log('');
        for (const shape of cases.calls)
            tell(`seen: ${shape}`, front.seen.has(shape) ? [] : [`never sent; seen were:\n          ${[...front.seen.keys()].sort().join('\n          ')}`]);
        await runSync({ front, build, certificate, tell });
    } finally {
        await front.stop();
        sim.stop();
        fs.rmSync(directory, { recursive: true, force: true });
    }
    console.log(`\n${front.checked} calls were judged, ${front.items} of them items of batches`);
}

try {
    await main();
} catch (error) {
    tell('the contract tests ran to their end', [error.stack]);
}
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;
