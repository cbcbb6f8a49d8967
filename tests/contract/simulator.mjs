// simulator.mjs - the simulator alone against the contracts: what it answers must be an answer of the cloud, and a body that
// the cloud's description refuses must be refused by the simulator too, or a wrong call would pass every other test.
import { call } from './prism.mjs';
import { runAssets } from './simulator_assets.mjs';

const USER = (nn) => `a0000000-0000-4000-8000-0000000000${nn}`;
const GROUP = (nn) => `b0000000-0000-4000-8000-0000000000${nn}`;
const SKU = (n) => `50000000-0000-4000-8000-00000000000${n}`;
const ada = `/v1.0/users/${USER('01')}`;
const mia = `/v1.0/users/${USER('26')}/authentication`;
const bin = '/v1.0/directory/deletedItems';
const person = (upn) => ({ accountEnabled: true, displayName: 'New One', mailNickname: 'new', userPrincipalName: upn, usageLocation: 'DE',
    passwordProfile: { password: 'Xk4-mvQp-77', forceChangePasswordNextSignIn: true } });
const guest = { invitedUserEmailAddress: 'iris@partner.example', inviteRedirectUrl: 'https://portal.example' };

// In this order, on one state. [method, path, status, body]
const good = [
    ['POST', '/v1.0/users', 201, person('new@contoso.com')],
    ['POST', '/v1.0/users', 400, person('new@contoso.com')],
    ['PATCH', ada, 204, { jobTitle: null, employeeOrgData: { division: 'North', costCenter: '7' }, otherMails: ['ada@home.example'] }],
    ['PATCH', ada, 403, { passwordProfile: { password: 'Xk4-mvQp-77' } }],
    ['POST', `${ada}/revokeSignInSessions`, 200],
    ['GET', `${ada}?$select=id,signInSessionsValidFromDateTime,employeeOrgData,licenseAssignmentStates,assignedLicenses`, 200],
    ['GET', `${ada}/manager?$select=id,displayName`, 200],
    ['GET', `${ada}/manager/$ref`, 200],
    ['DELETE', `${ada}/manager/$ref`, 204],
    ['GET', `${ada}/manager`, 404],
    ['PUT', `${ada}/manager/$ref`, 204, { '@odata.id': `https://graph.microsoft.com/v1.0/users/${USER('02')}` }],
    ['GET', '/v1.0/subscribedSkus', 200],
    ['GET', `/v1.0/subscribedSkus/11111111-2222-4333-8444-555555555555_${SKU(1)}`, 200],
    ['POST', `${ada}/assignLicense`, 200, { addLicenses: [{ skuId: SKU(1), disabledPlans: [] }], removeLicenses: [] }],
    ['POST', `${ada}/assignLicense`, 400, { addLicenses: [{ skuId: SKU(2) }], removeLicenses: [] }],
    ['GET', `${ada}/licenseDetails`, 200],
    ['POST', `${ada}/assignLicense`, 200, { addLicenses: [], removeLicenses: [SKU(1)] }],
    ['GET', `${mia}/methods`, 200],
    ...['emailMethods', 'fido2Methods', 'microsoftAuthenticatorMethods', 'passwordMethods', 'phoneMethods', 'softwareOathMethods',
        'temporaryAccessPassMethods', 'windowsHelloForBusinessMethods'].map((name) => ['GET', `${mia}/${name}`, 200]),
    ['GET', `${mia}/fido2Methods/60000000-0000-4000-8000-000000000002`, 200],
    ['DELETE', `${mia}/fido2Methods/60000000-0000-4000-8000-000000000002`, 204],
    ['DELETE', `${mia}/fido2Methods/60000000-0000-4000-8000-000000000002`, 404],
    ['DELETE', `${mia}/microsoftAuthenticatorMethods/60000000-0000-4000-8000-000000000001`, 400],
    ['POST', `${mia}/temporaryAccessPassMethods`, 201, { lifetimeInMinutes: 60, isUsableOnce: true }],
    ['GET', `${mia}/temporaryAccessPassMethods`, 200],
    ['POST', `/v1.0/users/${USER('06')}/authentication/temporaryAccessPassMethods`, 400, {}],
    ['POST', '/v1.0/invitations', 201, guest],
    ['DELETE', ada, 204],
    ['GET', `${bin}/microsoft.graph.user?$filter=id eq '${USER('01')}'`.replaceAll(' ', '%20'), 200],
    ['GET', `${bin}/${USER('01')}`, 200],
    ['POST', `${bin}/${USER('01')}/restore`, 200, { newUserPrincipalName: 'ada2@contoso.com', autoReconcileProxyConflict: true }],
    ['DELETE', `${bin}/${USER('01')}`, 404],
    ['POST', `${ada}/checkMemberObjects`, 200, { ids: [GROUP('01')] }],
    ['POST', `${ada}/getMemberObjects`, 200, { securityEnabledOnly: false }],
    ['POST', `${ada}/getMemberGroups`, 200, { securityEnabledOnly: true }],
    ['POST', '/v1.0/directoryObjects/getByIds', 200, { ids: [USER('01')], types: ['user'] }],
    ['GET', '/rest/api/3/issue/ITSM-42?fields=created,status,reporter,customfield_10050,customfield_10051,customfield_10052', 200],
    ['GET', '/rest/api/3/issue/ITSM-42/changelog?startAt=0&maxResults=2', 200],
    ['GET', '/rest/api/3/field', 200],
    ['GET', '/rest/api/3/mypermissions?permissions=SERVICEDESK_AGENT&projectKey=ITSM', 200],
    ['GET', '/rest/servicedeskapi/request/ITSM-42', 200],
    ['GET', '/rest/servicedeskapi/request/HR-3/approval?limit=1', 200],
    ['GET', '/rest/servicedeskapi/request/HR-2/approval', 200],
];

// Refused by the contract, and so by the simulator: [why, method, path, body]
const bad = [
    ['a user without a password', 'POST', '/v1.0/users', { ...person('x@contoso.com'), passwordProfile: {} }],
    ['a user without a name', 'POST', '/v1.0/users', { ...person('x@contoso.com'), displayName: undefined }],
    ['an unknown attribute of a new user', 'POST', '/v1.0/users', { ...person('x@contoso.com'), shoeSize: 42 }],
    ['a UPN with a blank', 'POST', '/v1.0/users', person('a b@contoso.com')],
    ['an empty change', 'PATCH', ada, {}],
    ['an unknown attribute', 'PATCH', ada, { shoeSize: 42 }],
    ['two business phones', 'PATCH', ada, { businessPhones: ['1', '2'] }],
    ['mail cleared', 'PATCH', ada, { mail: null }],
    ['usageLocation cleared', 'PATCH', ada, { usageLocation: null }],
    ['usageLocation in small letters', 'PATCH', ada, { usageLocation: 'de' }],
    ['an employeeId of 17 characters', 'PATCH', ada, { employeeId: '12345678901234567' }],
    ['accountEnabled as text', 'PATCH', ada, { accountEnabled: 'true' }],
    ['a password profile with another member', 'PATCH', ada, { passwordProfile: { secret: 'x' } }],
    ['organization data with another member', 'PATCH', ada, { employeeOrgData: { colour: 'red' } }],
    ['a user type that is none', 'PATCH', ada, { userType: 'Robot' }],
    ['one list of licences', 'POST', `${ada}/assignLicense`, { addLicenses: [] }],
    ['a licence as text', 'POST', `${ada}/assignLicense`, { addLicenses: [SKU(1)], removeLicenses: [] }],
    ['a licence with another member', 'POST', `${ada}/assignLicense`, { addLicenses: [{ skuId: SKU(1), count: 2 }], removeLicenses: [] }],
    ['a pass of 9 minutes', 'POST', `${mia}/temporaryAccessPassMethods`, { lifetimeInMinutes: 9 }],
    ['a pass with another member', 'POST', `${mia}/temporaryAccessPassMethods`, { colour: 'red' }],
    ['an invitation without a redirect', 'POST', '/v1.0/invitations', { invitedUserEmailAddress: 'x@y.example' }],
    ['an invitation with another member', 'POST', '/v1.0/invitations', { ...guest, colour: 'red' }],
    ['a restore with another member', 'POST', `${bin}/${USER('04')}/restore`, { upn: 'x@contoso.com' }],
    ['a manager with another member', 'PUT', `${ada}/manager/$ref`, { '@odata.id': `https://graph.microsoft.com/v1.0/users/${USER('02')}`, x: 1 }],
    ['21 ids', 'POST', `${ada}/checkMemberObjects`, { ids: Array(21).fill(GROUP('01')) }],
    ['securityEnabledOnly missing', 'POST', `${ada}/getMemberObjects`, {}],
];

function send(front, authorization, method, path, body) {
    const text = body && JSON.stringify(body);

    return call(front.port, { method, path, body: text, headers: { authorization: authorization[path.startsWith('/v1.0') ? 'graph' : 'jira'],
        ...(text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : { 'content-length': 0 }) } });
}

export async function runSimulator({ sim, front }, authorization, tell) {
    console.log('\nthe simulator alone');
    await sim.control('POST', 'reset');
    await sim.control('POST', 'issues', [{ key: 'ITSM-42', status: 'Done', reporter: 'grace@contoso.com' }, { key: 'ITSM-42', fields: {
        customfield_10050: { account: 'ada@contoso.com' }, customfield_10051: 'VPN Users', customfield_10052: { value: '30d' } } }]);
    for (const [method, path, status, body] of good) {
        const answer = await send(front, authorization, method, path, body);
        await front.settled();
        const found = front.violations.splice(0).map((v) => `${v.side}: ${v.message}`);
        tell(`${status} ${method} ${path}`, answer.status === status ? found : [`answered ${answer.status}: ${answer.body}`, ...found]);
    }
    await sim.control('POST', 'reset');
    await sim.control('POST', 'users', { id: USER('04'), deleted: true });
    await sim.control('POST', 'settings', { app_role: 'user-administrator' });
    for (const [why, method, path, body] of bad) {
        const answer = await send(front, authorization, method, path, body);
        await front.settled();
        const noticed = front.violations.splice(0).some((v) => v.side === 'request');
        tell(`refused: ${why}`, [...(answer.status === 400 ? [] : [`the simulator answered ${answer.status}: ${answer.body}`]),
            ...(noticed ? [] : ['the contract takes it'])]);
    }
    await sim.control('POST', 'settings', { app_role: 'none' });
    await runAssets({ sim, front }, authorization, tell);
}
