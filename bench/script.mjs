// script.mjs - the same job as an in-house script would do it, written well: node:http in front, node:https with
// kept connections behind, the two reads side by side, the comment after the answer. No policy, no journal, no checks.
//
// usage: node script.mjs CLOUD_URL CA_FILE [CERTIFICATE KEY]       first line of stdout: where it listens
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';

const [cloud, caFile, certificate, key] = process.argv.slice(2);
if (cloud === undefined || caFile === undefined) {
    console.error('usage: node script.mjs CLOUD_URL CA_FILE [CERTIFICATE KEY]');
    process.exit(2);
}
const TENANT = '11111111-2222-4333-8444-555555555555';
const USER = 'id,displayName,userPrincipalName,mail,accountEnabled,userType,onPremisesSyncEnabled';
const GROUP = 'id,displayName,groupTypes,mailEnabled,securityEnabled,onPremisesSyncEnabled,isAssignableToRole,isManagementRestricted,membershipRule';

const { hostname, port } = new URL(cloud);
const settings = { keepAlive: true, maxSockets: 64, maxFreeSockets: 64, ca: readFileSync(caFile), noDelay: true };
const toGraph = new https.Agent(settings), toJira = new https.Agent(settings);
const jiraHeaders = { Authorization: 'Basic ' + Buffer.from('bridge@contoso.com:sim-jira-token').toString('base64') };
let graphHeaders;
let lastId = 0;

function call(agent, method, path, headers, body, type = 'application/json') {
    return new Promise((resolve, reject) => {
        const all = body === undefined ? headers : { ...headers, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) };
        const request = https.request({ agent, hostname, port, method, path, headers: all }, (reply) => {
            let text = '';
            reply.setEncoding('utf8');
            reply.on('data', (part) => { text += part; });
            reply.on('end', () => resolve({ status: reply.statusCode, text }));
            reply.on('error', reject);
        });
        request.on('error', reject);
        request.end(body);
    });
}

async function fetchToken() {
    const form = 'grant_type=client_credentials&client_id=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee' +
        '&client_secret=sim-client-secret&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default';
    const reply = await call(toGraph, 'POST', `/${TENANT}/oauth2/v2.0/token`, {}, form, 'application/x-www-form-urlencoded');
    graphHeaders = { Authorization: 'Bearer ' + JSON.parse(reply.text).access_token };
}

function batch(user, group) {
    const urls = [
        `/users/${user}?$select=${USER}`,
        `/users?$filter=mail%20eq%20'${user}'&$select=${USER}`,
        `/users/${user}/transitiveMemberOf?$select=id,displayName,isAssignableToRole&$top=999`,
        '/roleManagement/directory/roleAssignments?$select=id,principalId&$top=999',
        `/users/${user}/memberOf?$select=id&$top=999`,
        `/groups/${group}?$select=${GROUP}`,
        `/groups/${group}/transitiveMemberOf?$select=id,displayName&$top=999`,
        '/roleManagement/directory/roleEligibilityScheduleInstances?$select=id,principalId,roleDefinitionId&$top=999',
        `/users/${user}/ownedObjects/microsoft.graph.group?$select=id,displayName,isAssignableToRole&$top=999`,
    ];
    return JSON.stringify({ requests: urls.map((url, i) => ({ id: String(i), method: 'GET', url })) });
}

const line = (label, text) => [{ type: 'text', text: label, marks: [{ type: 'strong' }] }, { type: 'text', text }, { type: 'hardBreak' }];

function comment(id, message, user, group) {
    const details = [['Operation: ', 'group.add_member'], ['User: ', user.userPrincipalName], ['Group: ', group.displayName],
        ['Change: ', 'member: false → true'], ['Token: ', 'bench'], ['Reason: ', 'bench'], ['Id: ', id]];
    return JSON.stringify({
        body: {
            type: 'doc', version: 1, content: [{
                type: 'panel', attrs: { panelType: 'success' }, content: [
                    { type: 'paragraph', content: [{ type: 'text', text: message }] },
                    { type: 'paragraph', content: details.flatMap(([label, text]) => line(label, text)) },
                ],
            }],
        },
        properties: [{ key: 'sd.public.comment', value: { internal: true } }, { key: 'entrabridge', value: { operation: id } }],
    });
}

function answer(response, status, body) {
    const text = JSON.stringify(body);
    response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
    response.end(text);
}

async function addMember(input, response) {
    const { issue, user: upn, group: groupId } = JSON.parse(input);
    const [, found] = await Promise.all([
        call(toJira, 'GET', `/rest/api/3/issue/${issue}?fields=project,status,reporter,created,customfield_10010`, jiraHeaders),
        call(toGraph, 'POST', '/v1.0/$batch', graphHeaders, batch(upn, groupId)),
    ]);
    const items = new Map(JSON.parse(found.text).responses.map((r) => [r.id, r.body]));
    const user = items.get('0'), group = items.get('5');
    const written = await call(toGraph, 'POST', `/v1.0/groups/${groupId}/members/$ref`, graphHeaders,
        JSON.stringify({ '@odata.id': `${cloud}/v1.0/directoryObjects/${user.id}` }));
    if (written.status !== 204 && written.status !== 400)
        throw new Error(`write: ${written.status}`);
    const id = '00000000-0000-7000-9000-' + (++lastId).toString(16).padStart(12, '0');
    const message = `Added ${user.displayName} to ${group.displayName}.`;
    answer(response, 200, {
        operation: id, name: 'group.add_member', outcome: 'succeeded', changed: written.status === 204, message,
        userId: user.id, userPrincipalName: user.userPrincipalName, displayName: user.displayName, groupId, groupName: group.displayName,
        issue, dryRun: false, replayed: false, before: { member: false }, after: { member: true },
    });
    const posted = await call(toJira, 'POST', `/rest/api/3/issue/${issue}/comment`, jiraHeaders, comment(id, message, user, group));
    if (posted.status !== 201)
        console.error(`comment: ${posted.status}`);
}

function onRequest(request, response) {
    let input = '';
    request.setEncoding('utf8');
    request.on('data', (part) => { input += part; });
    request.on('end', () => addMember(input, response).catch((e) => {
        console.error(e.message);
        if (!response.headersSent)
            answer(response, 502, { message: e.message });
    }));
}

await fetchToken();
const tls = certificate !== undefined;
const server = tls ? https.createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, onRequest) : http.createServer(onRequest);
server.keepAliveTimeout = 60000;
server.listen(0, '127.0.0.1', () => console.log(`listening on ${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`));
