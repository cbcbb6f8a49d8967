// cases.mjs - the traffic that the contract tests drive, as data.
//
// `want` is what entrabridge must answer: a status, and members of the body. The contract itself is held by the front.
const ada = 'a0000000-0000-4000-8000-000000000001';
const vpn = 'b0000000-0000-4000-8000-000000000001';
const assets = '/jsm/assets/workspace/f1668d0c-828c-470c-b7d1-8c4f48cd345a/v1';

// How users and groups may be written: each form makes other URLs. (Not here: a UPN that begins with $, which Graph takes as users('$…')
// only; its OpenAPI document does not know that form.)
const user = (text, why, want = { status: 200 }) => ({ why: `user.get, ${why}`, path: '/v1/user/get', body: { issue: 'ITSM-1', user: text }, want });
const group = (text, why, want = { status: 200 }) => ({ why: `group.get, ${why}`, path: '/v1/group/get', body: { issue: 'ITSM-1', group: text }, want });
const add = (issue, who, to, why, want, more = {}) =>
    ({ ...more, why: `group.add_member, ${why}`, path: '/v1/group/add-member', body: { issue, user: who, group: to, ...more.body }, want, comment: more.comment ?? true });

const done = { status: 200, outcome: 'succeeded', changed: true };
const unchanged = { status: 200, outcome: 'succeeded', changed: false };
const refused = (status, code) => ({ status, code });

export const plain = [
    user(ada, 'by object id'),
    user('ada@contoso.com', 'by UPN'),
    user('ada.lovelace@contoso.com', 'by mail'),
    user("miles.o'neil@contoso.com", 'UPN with an apostrophe'),
    user('miles.oneil@contoso.com', 'mail of somebody with an apostrophe'),
    user('gustav_partner.example#EXT#@contoso.onmicrosoft.com', 'guest'),
    user('zoe@contoso.com', 'emoji in the display name'),
    user('nobody@contoso.com', 'nobody of that name', refused(404, 'user_not_found')),
    user('shared@contoso.com', 'one mail, two users', refused(409, 'user_ambiguous')),
    group(vpn, 'by object id'),
    group('VPN Users', 'by name'),
    group("O'Brien's Team", 'name with an apostrophe'),

    add('ITSM-42', 'ada@contoso.com', 'VPN Users', 'plain', done),
    add('ITSM-43', 'grace@contoso.com', 'VPN Users', 'member already', unchanged),
    add('ITSM-44', ada, "O'Brien's Team", 'apostrophe', done),
    add('ITSM-45', 'gustav_partner.example#EXT#@contoso.onmicrosoft.com', 'VPN Users', 'guest', done),
    add('20046', 'alan@contoso.com', 'VPN Users', 'issue by its numeric id', done, { issueKey: 'ITSM-46' }),
    add('ITSM-47', 'sam@contoso.com', 'Project Phoenix', 'synced user in a Microsoft 365 group', done),
    add('ITSM-48', 'zoe@contoso.com', 'VPN Users', 'dry run', { status: 200, dryRun: true }, { body: { dryRun: true }, comment: false }),
    { why: 'group.remove_member, plain', path: '/v1/group/remove-member', body: { issue: 'ITSM-49', user: 'ada@contoso.com', group: 'VPN Users' }, want: done, comment: true },
    { why: 'group.remove_member, no member', path: '/v1/group/remove-member', body: { issue: 'ITSM-50', user: 'twin1@contoso.com', group: 'VPN Users' }, want: unchanged, comment: true },
    { why: 'user.disable', path: '/v1/user/disable', body: { issue: 'HR-2', user: 'alan@contoso.com' }, want: done, comment: true },
    { why: 'user.disable, disabled already', path: '/v1/user/disable', body: { issue: 'HR-3', user: 'lee@contoso.com' }, want: unchanged, comment: true },
    { why: 'user.enable', path: '/v1/user/enable', body: { issue: 'HR-4', user: 'alan@contoso.com' }, want: done, comment: true },
];

// Of each further kind of operation at least one. `user.restore` wants an approval, which ITSM-42 has.
const on = (kind, issue, body, why, want = done, more = {}) =>
    ({ ...more, why: `${kind}, ${why}`, path: `/v1/${kind.replace('.', '/').replaceAll('_', '-')}`, body: { issue, ...body }, want, comment: more.comment ?? true });
const read = (kind, body, why) => on(kind, 'ITSM-1', body, why, { status: 200 }, { comment: false });

export const kinds = [
    on('user.create', 'ITSM-101', { attributes: { givenName: 'Zoë', surname: 'Müller', jobTitle: 'Engineer', usageLocation: 'DE' } }, 'name from the pattern'),
    on('user.create', 'ITSM-102', { attributes: { givenName: 'Zoë', surname: 'Müller' }, accessPass: true }, 'name taken; an access pass'),
    on('user.update', 'ITSM-103', { user: 'ada@contoso.com', attributes: { jobTitle: 'Countess', preferredLanguage: null, employeeOrgData: { costCenter: '7' } } }, 'several attributes'),
    on('user.update', 'ITSM-104', { user: 'ada@contoso.com', attributes: { employeeLeaveDateTime: '2036-03-31T17:00:00+02:00', onPremisesExtensionAttributes: { extensionAttribute1: 'x' } } },
        'a permission of its own'),
    on('user.reset_password', 'ITSM-105', { user: 'grace@contoso.com' }, 'made here'),
    on('user.reset_password', 'ITSM-106', { user: 'grace@contoso.com', password: 'Sesame-open-12' }, 'given'),
    on('user.issue_access_pass', 'ITSM-107', { user: 'grace@contoso.com', lifetime: '1h', isUsableOnce: true, startDateTime: '2036-03-31T17:00:00+02:00' }, 'all of it'),
    on('user.issue_access_pass', 'ITSM-108', { user: 'gustav@partner.example' }, 'a guest', refused(409, 'user_not_modifiable')),
    on('user.revoke_sessions', 'ITSM-109', { user: 'grace@contoso.com' }, 'plain'),
    on('user.reset_mfa', 'ITSM-110', { user: 'mia@contoso.com' }, 'seven methods'),
    on('user.set_manager', 'ITSM-111', { user: 'zoe@contoso.com', manager: 'grace.hopper@contoso.com' }, 'by mail'),
    on('user.remove_manager', 'ITSM-112', { user: 'zoe@contoso.com' }, 'plain'),
    on('user.assign_licenses', 'ITSM-113', { user: 'nolan@contoso.com', licenses: ['SPE_E3', 'POWER_BI_PRO'], usageLocation: 'DE' }, 'the country first'),
    on('user.remove_licenses', 'ITSM-114', { user: 'nolan@contoso.com', licenses: 'SPE_E3' }, 'plain'),
    on('user.remove_licenses', 'ITSM-115', { user: 'lena@contoso.com', licenses: 'SPE_E3' }, 'from a group', refused(422, 'rejected_by_entra')),
    on('user.delete', 'ITSM-116', { user: 'fred@contoso.com' }, 'plain'),
    on('user.restore', 'ITSM-42', { user: 'fred@contoso.com' }, 'by the name it had'),
    on('user.invite', 'ITSM-117', { mail: 'new.guest@partner.example', displayName: 'New Guest', message: 'Welcome' }, 'name and message'),
    on('user.invite', 'ITSM-118', { mail: 'gustav@partner.example' }, 'known already', unchanged),
    on('user.onboard', 'ITSM-119', { attributes: { givenName: 'Nova', surname: 'Newton', department: 'Sales' }, manager: 'grace@contoso.com', licenses: 'POWER_BI_PRO', usageLocation: 'DE' },
        'manager, licence, group'),
    on('user.transfer', 'ITSM-120', { user: 'nova.newton@contoso.com', attributes: { department: 'Arts' }, manager: 'alan@contoso.com' }, 'another manager, other groups'),
    on('user.offboard', 'ITSM-121', { user: 'nova.newton@contoso.com' }, 'with group and licence'),
    read('user.list_groups', { user: 'alan@contoso.com' }, 'plain'),
    read('user.search', { query: "O'Neil" }, 'an apostrophe'),
    read('group.list_members', { group: 'VPN Users' }, 'plain'),
];

// The policy CONDITIONS. `issues`: put into Jira before, `edit`: changed in Jira by somebody after that.
const approved = (...people) => ({ decision: 'approved', approvers: people.map((account) => ({ account })) });
const asked = (key, more, then) => ({ issues: [{ key, quiet: true, reporter: 'zoe@contoso.com', ...more }], edit: then && { key, ...then } });
const bound = { customfield_10050: { account: 'ada@contoso.com' }, customfield_10051: 'VPN Users' };
const entry = (issue, body, why, want, more) => on('group.add_member', issue, { user: 'ada@contoso.com', ...body }, why, want, more);

export const conditions = [
    entry('ITSM-301', { group: 'VPN Users', expiresIn: '8h' }, 'approved, bound, by a member of the group, until a time', done,
        asked('ITSM-301', { fields: bound, approvals: [approved('petra@contoso.com')] })),
    entry('ITSM-302', { group: 'VPN Users' }, 'a bound field was edited since', refused(403, 'approval_missing'),
        asked('ITSM-302', { fields: bound, approvals: [approved('petra@contoso.com')] }, { fields: { customfield_10050: { account: 'alan@contoso.com' } } })),
    entry('ITSM-303', { group: 'VPN Users' }, 'nobody approved', refused(403, 'approval_missing'), asked('ITSM-303', { fields: bound })),
    entry('ITSM-304', { group: 'Sales DE' }, 'two rounds, two people', done,
        asked('ITSM-304', { approvals: [approved('petra@contoso.com'), approved('quentin@contoso.com')] })),
    entry('ITSM-305', { group: 'CRM' }, 'the requester is in the group', done, asked('ITSM-305', { reporter: 'quentin@contoso.com' })),
    entry('ITSM-306', { group: 'CRM', user: 'grace@contoso.com' }, 'the requester was changed', refused(403, 'requester_not_permitted'),
        asked('ITSM-306', {}, { reporter: 'quentin@contoso.com' })),
    entry('ITSM-46', { group: 'CRM', user: 'grace@contoso.com' }, 'a requester without an address', refused(403, 'requester_not_permitted')),
    entry('ITSM-308', { group: 'Project Phoenix' }, 'request type, status and age, shadow', { status: 200 },
        asked('ITSM-308', { requestTypeId: '25', status: 'In Progress' })),
    entry('ITSM-309', { group: "O'Brien's Team" }, 'duties', refused(403, 'duty_conflict'), asked('ITSM-309', {})),
    on('user.reset_password', 'ITSM-310', { user: 'ada@contoso.com' }, 'asked by the manager', done, asked('ITSM-310', { reporter: 'grace@contoso.com' })),
    on('user.revoke_sessions', 'ITSM-311', { user: 'reporter' }, 'for oneself', done, asked('ITSM-311', {})),
    on('user.update', 'ITSM-312', { user: 'ada@contoso.com', attributes: { mobilePhone: '+49 30 1', otherMails: ['ada@home.example'] } }, 'sensitive, approved', done,
        asked('ITSM-312', { fields: bound, approvals: [approved('petra@contoso.com')] })),
    { why: 'explain', path: '/v1/explain', body: { operation: 'group.add_member', issue: 'ITSM-301', user: 'ada@contoso.com', group: 'VPN Users' }, want: { status: 200 } },
    read('user.list_groups', { user: 'ada@contoso.com' }, 'several pages'),
    read('user.search', { query: 'a' }, 'more than a page'),
];
// Run beside the service of these, through the same validators.
export const commands = [['check'], ['audit', 'verify', '--anchors']];

export const refusals = [
    add('ITSM-51', 'breakglass@contoso.com', 'VPN Users', 'named as protected', refused(403, 'principal_protected')),
    add('ITSM-52', 'anna.admin@contoso.com', 'VPN Users', 'holds a role', refused(403, 'principal_protected')),
    add('ITSM-53', 'bob.admin@contoso.com', 'VPN Users', 'holds a role through a group', refused(403, 'principal_protected')),
    add('ITSM-54', 'carla@contoso.com', 'VPN Users', 'holds a scoped role', refused(403, 'principal_protected')),
    add('ITSM-57', 'nick@contoso.com', 'VPN Users', 'nested in a protected group', refused(403, 'principal_protected')),
    add('ITSM-59', ada, 'CRM', 'group not serviceable', refused(403, 'group_not_serviceable')),
    add('ITSM-60', ada, 'All Berlin', 'dynamic group', refused(409, 'group_not_modifiable')),
    add('SEC-1', ada, 'VPN Users', 'project not allowed', refused(403, 'issue_not_permitted'), { comment: false }),
    add('ITSM-9999', ada, 'VPN Users', 'no such issue', refused(404, 'issue_not_found'), { comment: false }),
    { why: 'user.disable, synced user', path: '/v1/user/disable', body: { issue: 'HR-5', user: 'sam@contoso.com' }, want: refused(409, 'user_not_modifiable'), comment: true },
];

// Faults that the clouds' contracts allow: throttling, errors, a lost answer.
const fault = (match, action, times = 1) => ({ match, times, action });
export const faults = [
    // First, since the search begins only when the lost post can land no more; the others run meanwhile.
    add('ITSM-75', 'fred@contoso.com', 'VPN Users', 'comment posted, then answered 503: looked for before it is posted again', done,
        { faults: [fault({ cloud: 'jira', method: 'POST', path: '/comment' }, { status_after: 503 })] }),
    add('ITSM-70', 'twin1@contoso.com', 'VPN Users', 'batch throttled', done, { faults: [fault({ cloud: 'graph', path: '/$batch' }, { status: 429, retry_after: 1 })] }),
    add('ITSM-71', 'twin2@contoso.com', 'VPN Users', 'an item of the batch throttled', done,
        { faults: [fault({ cloud: 'graph', in_batch: true, path: '/users' }, { status: 429, retry_after: 1 })] }),
    add('ITSM-72', 'nora@contoso.com', 'VPN Users', 'write answered 503', null, { faults: [fault({ cloud: 'graph', method: 'POST', path: '/members/' }, { status: 503 })] }),
    add('ITSM-73', 'tom@contoso.com', 'Sales DE', 'batch answered 503, then refused', refused(403, 'principal_protected'),
        { faults: [fault({ cloud: 'graph', path: '/$batch' }, { status: 503, retry_after: 1 })] }),
    add('ITSM-74', 'miles.oneil@contoso.com', 'VPN Users', 'write done, then answered 504', null,
        { faults: [fault({ cloud: 'graph', method: 'POST', path: '/members/' }, { status_after: 504 })] }),
    add('ITSM-76', 'dolly@contoso.com', 'VPN Users', 'comment throttled', done,
        { faults: [fault({ cloud: 'jira', method: 'POST', path: '/comment' }, { status: 429, retry_after: 1 })] }),
    add('ITSM-77', 'lee@contoso.com', 'VPN Users', 'issue answered 503', done, { faults: [fault({ cloud: 'jira', method: 'GET', path: '/issue/' }, { status: 503 })] }),
    add('ITSM-78', 'gustav@partner.example', 'Sales DE', 'token no longer valid', done, { tokensGone: true }),
];

// The call that ends the case of the lost comment.
export const lastCall = { method: 'GET', path: '/comment', count: 1 };

// Writes wait, since the first one's answer says that the quota is used up: the others, asked meanwhile, leave together.
const besides = (issue, who) => ({ path: '/v1/group/add-member', body: { issue, user: who, group: "O'Brien's Team" } });
export const waiting = [
    add('ITSM-90', 'zoe@contoso.com', 'VPN Users', 'several at once while writes wait', null, {
        faults: [fault({ cloud: 'graph', method: 'POST', path: '/members/' },
            { status: 429, retry_after: 3, headers: { 'x-ms-throttle-information': 'WriteLimitExceeded', 'x-ms-throttle-scope': 'Tenant_Application/ReadWrite/a/t' } })],
        besides: [besides('ITSM-91', 'ada@contoso.com'), besides('ITSM-92', 'grace@contoso.com'), besides('ITSM-93', 'alan@contoso.com')],
    }),
];

// Over the gateway URL with Bearer, and with a certificate in place of the secret.
export const variants = [
    add('ITSM-80', 'ada@contoso.com', 'Sales DE', 'plain', done),
    { why: 'user.disable', path: '/v1/user/disable', body: { issue: 'HR-6', user: 'grace@contoso.com' }, want: done, comment: true },
    { why: 'user.get', path: '/v1/user/get', body: { issue: 'ITSM-1', user: 'ada.lovelace@contoso.com' }, want: { status: 200 } },
];

// Calls that must have been seen, or the tests above no longer drive what they say.
export const calls = [
    'POST /{}/oauth2/v2.0/token', 'POST /v1.0/$batch', 'POST /v1.0/groups/{}/members/$ref', 'PATCH /v1.0/groups/{}', 'DELETE /v1.0/groups/{}/members/{}/$ref',
    'PATCH /v1.0/users/{}', 'POST /v1.0/users', 'DELETE /v1.0/users/{}', 'POST /v1.0/directory/deletedItems/{}/restore', 'POST /v1.0/invitations',
    'PUT /v1.0/users/{}/manager/$ref', 'DELETE /v1.0/users/{}/manager/$ref', 'POST /v1.0/users/{}/assignLicense', 'POST /v1.0/users/{}/revokeSignInSessions',
    'POST /v1.0/users/{}/authentication/temporaryAccessPassMethods', 'DELETE /v1.0/users/{}/authentication/phoneMethods/{}',
    ...['users/{}', 'users/{}/manager', 'users/{}/memberOf', 'users/{}/transitiveMemberOf', 'users/{}/ownedObjects/microsoft.graph.group', 'groups/{}/members',
        'users/{}/authentication/methods', 'users/{}/authentication/temporaryAccessPassMethods', 'subscribedSkus', 'applications/{}/owners', 'servicePrincipals/{}/owners',
        'directory/deletedItems/microsoft.graph.user', 'roleManagement/directory/roleAssignments', 'roleManagement/directory/roleEligibilityScheduleInstances']
        .map((what) => `$batch item: GET /${what}`),
    ...['emailMethods', 'fido2Methods', 'microsoftAuthenticatorMethods', 'softwareOathMethods', 'windowsHelloForBusinessMethods']
        .map((type) => `DELETE /v1.0/users/{}/authentication/${type}/{}`),
    'GET /rest/servicedeskapi/request/{}/approval', 'GET /rest/api/3/issue/{}/changelog', 'GET /rest/api/3/issue/{}/comment/{}', 'GET /rest/api/3/mypermissions',
    'GET /rest/api/3/issue/{}', 'POST /rest/api/3/issue/{}/comment', 'GET /rest/api/3/issue/{}/comment', 'GET /rest/api/3/myself',
];

// What the validators themselves must notice: sent straight to the front, past entrabridge.
export const wrong = [
    { why: 'link without @odata.id', method: 'POST', path: `/v1.0/groups/${vpn}/members/$ref`, body: { id: ada }, side: 'request' },
    { why: 'remove without /$ref, which deletes the user', method: 'DELETE', path: `/v1.0/groups/${vpn}/members/${ada}`, side: 'request' },
    { why: 'more than 20 members in one call', method: 'PATCH', path: `/v1.0/groups/${vpn}`, side: 'request',
        body: { 'members@odata.bind': Array.from({ length: 21 }, (_, n) => `https://graph.microsoft.com/v1.0/directoryObjects/${ada.slice(0, -2)}${10 + n}`) } },
    { why: 'attribute of the wrong type', method: 'PATCH', path: `/v1.0/users/${ada}`, body: { accountEnabled: 'no' }, side: 'request' },
    { why: 'unknown attribute', method: 'PATCH', path: `/v1.0/users/${ada}`, body: { isAdmin: true }, side: 'request' },
    { why: 'comment as plain text', method: 'POST', path: '/rest/api/3/issue/ITSM-1/comment', body: { body: 'text' }, side: 'request', cloud: 'jira' },
    { why: 'unknown call inside a batch', method: 'POST', path: '/v1.0/$batch', body: { requests: [{ id: '1', method: 'GET', url: '/nonsense' }] }, side: 'request' },
    { why: 'base path inside a batch', method: 'POST', path: '/v1.0/$batch', body: { requests: [{ id: '1', method: 'GET', url: `/v1.0/users/${ada}` }] }, side: 'request' },
    { why: 'answer of another shape', method: 'GET', path: `/v1.0/users/${ada}?$select=id`, side: 'response',
        fault: fault({ cloud: 'graph', path: '/users/' }, { status: 200, body: { displayName: 7 } }) },
    { why: 'status that the contract does not know', method: 'GET', path: `/v1.0/users/${ada}?$select=id`, side: 'response',
        fault: fault({ cloud: 'graph', path: '/users/' }, { status: 418, body: { error: {} } }) },
    { why: 'item of a batch answered in another shape', method: 'POST', path: '/v1.0/$batch', side: 'response',
        body: { requests: [{ id: '1', method: 'GET', url: `/users/${ada}` }] },
        fault: fault({ cloud: 'graph', in_batch: true, path: '/users/' }, { status: 200, body: { displayName: 7 } }) },
    { why: 'a query option that is not known', method: 'GET', path: '/v1.0/users/delta?$select=id&$top=5', side: 'request' },
    { why: 'a query option that is not known, inside a batch', method: 'POST', path: '/v1.0/$batch', body: { requests: [{ id: '1', method: 'GET', url: '/users?$skip=5' }] }, side: 'request' },
    { why: 'AQL by its old name', method: 'POST', path: `${assets}/object/aql`, body: { iql: 'x' }, side: 'request', cloud: 'jira' },
    { why: 'an object whose value is a number', method: 'POST', path: `${assets}/object/create`, side: 'request', cloud: 'jira',
        body: { objectTypeId: '1', attributes: [{ objectTypeAttributeId: '1', objectAttributeValues: [{ value: 7 }] }] } },
    { why: 'a call that Assets does not know', method: 'GET', path: `${assets}/aql/objects?qlQuery=x`, side: 'request', cloud: 'jira' },
    { why: 'a page of objects of another shape', method: 'POST', path: `${assets}/object/aql`, body: { qlQuery: 'x' }, side: 'response', cloud: 'jira',
        fault: fault({ cloud: 'assets', path: '/aql' }, { status: 200, body: { startAt: 0, maxResults: 25, total: 1, values: [{ id: 7 }], objectTypeAttributes: [], last: true, isLast: true } }) },
    { why: 'a redirect where none is known', method: 'GET', path: `${assets}/usage`, side: 'response', cloud: 'jira',
        fault: fault({ cloud: 'assets', path: '/usage' }, { status: 303, body: {}, headers: { Location: `${assets}/icon/global` } }) },
    { why: 'a page of a delta of another shape', method: 'GET', path: '/v1.0/users/delta?$select=id', side: 'response',
        fault: fault({ cloud: 'graph', path: '/users/delta' }, { status: 200, body: { value: [{ id: 7 }] } }) },
    { why: 'a page of accounts of another shape', method: 'GET', path: '/rest/api/3/users/search?startAt=0', side: 'response', cloud: 'jira',
        fault: fault({ cloud: 'jira', path: '/users/search' }, { status: 200, body: { values: [] } }) },
];
