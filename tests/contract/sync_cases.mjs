// sync_cases.mjs - lives of a synchronization, as data: each begins with clouds of its own, and drives calls that no other drives.
//
// A step: `before` are calls of the simulator's control API, `words` a command of the program, `end` its exit code, `want` members of what it prints
// as JSON, `calls` what must have been judged meanwhile: status, method and path as patterns. The contract itself is held by the front.
const cast = (n) => `a0000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const group = (n) => `b2000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const set = (what) => ['POST', 'settings', what];
const fault = (match, action) => ['POST', 'faults', { match, times: 1, action }];
const refusal = { errorMessages: [], errors: { 'rlabs-insight-attribute-1': 'No.' } };

const run = (why, more = {}) => ({ words: ['sync', 'run', '--json', ...(more.options ?? [])], ...more, why, want: { outcome: 'succeeded', ...more.want } });
const full = (why, more = {}) => run(why, { ...more, options: ['--full'], want: { kind: 'full', ...more.want } });
const delta = (why, more = {}) => run(why, { ...more, want: { kind: 'delta', ...more.want } });
const init = (why, more = {}) => ({ words: ['sync', 'init'], ...more, why });

// Small pages: of Graph's lists and deltas, of links, of accounts, of objects.
const SMALL = { page_most: 25, delta_page_size: 9, delta_member_page: 7, jira_users_page: 20, aql_page_max: 25 };

const expired = (form, status) => delta(`the links have ended: ${form}`, { before: [set({ delta_gone: form }), ['DELETE', 'delta'], ['POST', 'churn', { users: 2, seed: 3 }]],
    want: { kind: 'full' }, calls: [`${status} GET /v1.0/(users|groups)/delta\\?\\$deltatoken=`] });

export const lives = [
    {
        title: 'synchronization, directory first', company: [34, 8], sync: { leavers: 'delete', delete_after: '0ms' }, settings: SMALL,
        steps: [
            { why: 'check, with nothing there yet', words: ['check'], calls: ['200 GET /rest/api/3/mypermissions', '200 GET /rest/servicedeskapi/assets/workspace'] },
            { why: 'a preview without a schema', words: ['sync', 'preview'], end: 1 },
            init('an empty site', { calls: ['201 POST .*/objectschema/create', '201 POST .*/objecttype/create', '201 POST .*/objecttypeattribute/', '201 POST .*/config/statustype',
                '201 POST .*/config/referencetype', '200 GET .*/icon/global'] }),
            init('again', { none: ['POST .*/jsm/'] }),
            { why: 'a preview', words: ['sync', 'preview', '--format', 'json'], none: ['POST .*/object/create'] },
            full('everybody', { calls: ['200 GET /v1.0/users/delta\\?\\$deltatoken=latest', '200 GET /v1.0/users\\?.*\\$skiptoken=', '200 GET /v1.0/groups/delta\\?.*\\$select=',
                '200 GET /v1.0/groups/delta\\?.*\\$skiptoken=', '200 GET /rest/api/3/users/search\\?startAt=0', '200 GET /rest/api/3/users/search\\?startAt=[1-9]',
                '201 POST .*/object/create'] }),
            delta('nothing changed', { want: { 'calls.writes': 0 }, calls: ['200 GET /v1.0/users/delta\\?\\$deltatoken=', '200 GET /v1.0/groups/delta\\?\\$deltatoken='] }),
            delta('people, groups, members and managers changed; some came, some left', { before: [['POST', 'churn', { users: 8, memberships: 12, managers: 4, groups: 3, joiners: 2,
                leavers: 2, seed: 5 }]], calls: ['200 PUT .*/object/', '201 POST .*/object/create'] }),
            delta('somebody deleted for good, a group deleted, members by the dozen', { before: [['POST', 'users', { id: cast(3), deleted: true }], ['POST', 'groups',
                [{ id: group(3), deleted: true }, { id: group(2), members: Array.from({ length: 18 }, (_, i) => cast(11 + i)) }]], ['POST', 'churn', { purged: 1, restored: 1, seed: 6 }]],
            calls: ['200 GET /v1.0/groups/delta\\?\\$skiptoken=', '20[04] DELETE .*/object/'] }),
            delta('an object refused, others throttled or answered 503', { before: [['POST', 'churn', { users: 8, seed: 7 }],
                fault({ cloud: 'assets', method: 'PUT', path: '/object/' }, { status: 400, body: refusal }),
                fault({ cloud: 'assets', method: 'PUT', path: '/object/' }, { status: 429, retry_after: 1 }),
                fault({ cloud: 'assets', method: 'PUT', path: '/object/' }, { status: 503 }),
                fault({ cloud: 'graph', path: '/groups/delta' }, { status: 429, retry_after: 1 }), fault({ cloud: 'graph', path: '/users/delta' }, { status: 503 })],
            end: 1, want: { outcome: 'partial', 'counts.errors': 1 }, calls: ['400 PUT .*/object/', '429 PUT .*/object/', '503 PUT .*/object/', '429 GET /v1.0/groups/delta'] }),
            full('changed and deleted by hand in Assets', { byHand: true, calls: ['200 POST .*/object/aql\\?startAt=[1-9]', '404 GET .*/object/\\d', '201 POST .*/object/create'] }),
            full('the search throttled, the lists answered 503', { before: [fault({ cloud: 'assets', path: '/object/aql' }, { status: 429, retry_after: 1 }),
                fault({ cloud: 'jira', path: '/users/search' }, { status: 429, retry_after: 1 }), fault({ cloud: 'graph', path: '/users?' }, { status: 503 })],
            calls: ['429 POST .*/object/aql', '429 GET .*/users/search', '503 GET /v1.0/users\\?'] }),
            expired('resyncRequired', 410), expired('syncStateNotFound', 410), expired('tooOld', 400),
            run('a schema that lacks attributes', { sync: { attributes: [{ name: 'Cost center', from: 'extensionAttribute1' }, { name: 'Hired', from: 'employeeHireDate', type: 'date' },
                { name: 'Town', from: 'city' }, { name: 'Division', from: 'department', type: 'text' }] }, end: 1, want: { outcome: 'failed' } }),
            init('attributes are added', { calls: ['201 POST .*/objecttypeattribute/'], none: ['POST .*/objecttype/create'] }),
            full('and filled', { calls: ['200 PUT .*/object/'] }),
            { why: 'check', words: ['check'], calls: ['200 GET .*/usage'] },
        ],
    },
    {
        title: 'synchronization, accounts first', company: [4, 4], sync: { mode: 'accounts_first', users: { guests: true } }, settings: SMALL,
        steps: [
            init('an empty site'),
            full('users by their mails', { calls: ['200 \\$batch item: GET /users/\\$count', '200 \\$batch item: GET /users\\?\\$filter=mail'] }),
            delta('nothing changed', { want: { 'calls.writes': 0 } }),
            delta('somebody who was never read gets a mail, which an account has: the change tells no more', { before: [['POST', 'users', { id: cast(5),
                mail: 'late@contoso.com' }]], calls: ['200 \\$batch item: GET /users/a0000000-', '201 POST .*/object/create'] }),
            delta('an account made inactive, another one new', { before: [['POST', 'accounts', [
                { accountId: '712020:a0000000-0000-4000-8000-000000000001', active: false }, { accountId: '712020:new', accountType: 'atlassian', active: true,
                    displayName: 'Nora', emailAddress: 'nora@contoso.com' }]]], calls: ['200 PUT .*/object/'] }),
            full('items of the batch throttled', { before: [fault({ cloud: 'graph', in_batch: true, path: '/users?' }, { status: 429, retry_after: 1 })],
                calls: ['429 \\$batch item: GET /users\\?'] }),
        ],
    },
    {
        title: 'synchronization, mass loads', company: [24, 6], assets: { import_token: { file: 'import-token' } }, sync: { load: 'always' },
        settings: { import_ms_per_object: 20 },
        steps: [
            { why: 'a token that is none yet', words: ['check'], end: 1, calls: ['401 GET /jsm/assets/v1/imports/info'] },
            init('an empty site'),
            { why: 'check, with the source ready', before: [['POST', 'assets/importsource', { schemaKey: 'ENTRA' }]], words: ['check'],
                calls: ['200 GET /jsm/assets/v1/imports/info', '200 GET .*/configstatus'] },
            full('the source switched off', { before: [['SWITCH', true]], end: 1, want: { outcome: 'failed' }, calls: ['200 GET .*/configstatus'] }),
            full('a start refused', { before: [['SWITCH', false], fault({ cloud: 'assets', method: 'POST', regex: '/executions$' },
                { status: 409, body: { result: 'error', errorCode: 'INVALID_IMPORT_MODULE_KEY' } })], end: 1, want: { outcome: 'failed' },
            calls: ['303 PUT .*/mapping\\?async=true', '200 GET .*/mapping/progress/', '409 POST .*/executions'] }),
            full('data refused: cancelled', { before: [fault({ cloud: 'assets', method: 'POST', path: '/data' }, { status: 400, body: refusal })], end: 1, want: { outcome: 'failed' },
                calls: ['409 PUT .*/mapping', '303 PATCH .*/mapping', '400 POST .*/data', '200 DELETE .*/executions/'] }),
            full('loaded', { calls: ['200 POST .*/executions', '200 PUT .*/progress', '200 POST .*/data', '200 GET .*/executions/[^/]+/status', '200 PUT .*/object/'],
                none: ['POST .*/object/create'] }),
            full('nothing changed', { want: { 'calls.writes': 0 } }),
        ],
    },
    {
        title: 'synchronization by a service, certificate, Bearer over the gateway URL', company: [4, 2], gateway: true, serves: true, sync: {}, settings: SMALL,
        steps: [init('handed over', { calls: ['201 POST /ex/jira/.*/objectschema/create'] }), full('handed over', { calls: ['201 POST /ex/jira/.*/object/create'] })],
    },
];

// Calls of Graph and Jira that a synchronization makes.
export const lists = ['GET /v1.0/users', 'GET /v1.0/users/delta', 'GET /v1.0/groups/delta', 'POST /v1.0/$batch', '$batch item: GET /users', '$batch item: GET /users/{}',
    '$batch item: GET /users/$count', 'GET /rest/api/3/users/search', 'GET /rest/api/3/mypermissions', 'GET /rest/servicedeskapi/assets/workspace'];

// How the calls of imports look whose path is a link that Assets gave: assets/call.c has none for them.
export const links = {
    'assets.import_status': 'importsource/{}/configstatus', 'assets.import_mapping': 'importsource/{}/mapping', 'assets.import_mapping_add': 'importsource/{}/mapping',
    'assets.import_mapping_progress': 'importsource/{}/mapping/progress/{}', 'assets.import_start': 'importsource/{}/executions',
    'assets.import_progress': 'importsource/{}/executions/{}/progress', 'assets.import_data': 'importsource/{}/executions/{}/data',
    'assets.import_execution': 'importsource/{}/executions/{}/status', 'assets.import_cancel': 'importsource/{}/executions/{}',
};
