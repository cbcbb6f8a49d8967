// simulator_assets.mjs - Assets alone, as simulator.mjs does for the other clouds: its answers, and bodies that Atlassian's description refuses.
import { call } from './prism.mjs';

const W = '/jsm/assets/workspace/f1668d0c-828c-470c-b7d1-8c4f48cd345a/v1';
const value = (id, ...values) => ({ objectTypeAttributeId: id, objectAttributeValues: values.map((v) => ({ value: v })) });
const importOf = (attribute, mapping = {}) => ({
    schema: { objectSchema: { name: 'Contract', description: 'x', objectTypes: [{ externalId: 'c/t', name: 'Thing', description: 'x', attributes: [
        { externalId: 'c/t/name', name: 'Name', description: 'x', type: 'text', label: true, ...attribute }] }] } },
    mapping: { objectTypeMappings: [{ objectTypeExternalId: 'c/t', objectTypeName: 'Thing', selector: 'things', description: 'x', attributesMapping: [
        { attributeExternalId: 'c/t/name', attributeName: 'Name', attributeLocators: ['name'], externalIdPart: true, ...mapping }] }] },
});

// In this order, on one state. [method, path, status, body, whose token]
const good = ({ schema, type, label, source }) => [
    ['GET', `${W}/objectschema/list?includeCounts=true&maxResults=1`, 200],
    ['POST', `${W}/objectschema/create`, 400, { name: 'Again', objectSchemaKey: 'CON' }],
    ['GET', `${W}/objectschema/${schema}`, 200],
    ['GET', `${W}/objectschema/999`, 404],
    ['GET', `${W}/objectschema/${schema}/attributes`, 200],
    ['GET', `${W}/objectschema/${schema}/objecttypes/flat`, 200],
    ['GET', `${W}/objecttype/${type}`, 200],
    ['GET', `${W}/objecttype/${type}/attributes`, 200],
    ['POST', `${W}/objecttypeattribute/${type}`, 201, { name: 'Kept', type: 0, defaultTypeId: 2 }],
    ['POST', `${W}/objecttypeattribute/${type}`, 201, { name: 'Whole', type: 1, typeValue: type, additionalValue: '1', maximumCardinality: -1 }],
    ['POST', `${W}/objecttypeattribute/${type}`, 400, { name: 'Kept', type: 0, defaultTypeId: 2 }],
    ['GET', `${W}/config/statustype?objectSchemaId=${schema}`, 200],
    ['GET', `${W}/config/referencetype?objectSchemaId=${schema}&includeAll=true`, 200],
    ['GET', `${W}/icon/global`, 200],
    ['POST', `${W}/object/create`, 201, { objectTypeId: type, attributes: [value(label, 'Ünï "quoted" 🚀')] }],
    ['POST', `${W}/object/create`, 400, { objectTypeId: type, attributes: [value(label, 'x'.repeat(256))] }],
    ['POST', `${W}/object/create`, 400, { objectTypeId: type, attributes: [] }],
    ['GET', `${W}/object/1`, 200],
    ['PUT', `${W}/object/1`, 200, { objectTypeId: type, attributes: [value(label, 'Other')] }],
    ['GET', `${W}/object/1/attributes`, 200],
    ['GET', `${W}/object/1/referenceinfo`, 200],
    ['POST', `${W}/object/aql?startAt=0&maxResults=1&includeAttributes=true`, 200, { qlQuery: 'objectType = Thing' }],
    ['POST', `${W}/object/aql?includeAttributes=false`, 200, { qlQuery: 'objectType = Nothing' }],
    ['POST', `${W}/object/aql`, 400, { qlQuery: 'objectType = = x' }],
    ['POST', `${W}/object/aql/totalcount`, 200, { qlQuery: 'objectType = Thing' }],
    ['GET', `${W}/usage`, 200],
    ['DELETE', `${W}/object/1`, 200],
    ['DELETE', `${W}/object/1`, 404],
    ['GET', `${W}/object/1`, 404],
    ['GET', '/jsm/assets/v1/imports/info', 401, undefined, 'assets'],
    ['GET', `${W}/importsource/${source}/configstatus`, 200, undefined, 'import'],
    ['POST', `${W}/importsource/${source}/executions`, 409, undefined, 'import'],
    ['PATCH', `${W}/importsource/${source}/mapping`, 400, importOf(), 'import'],
    ['PUT', `${W}/importsource/${source}/mapping`, 204, importOf(), 'import'],
    ['PUT', `${W}/importsource/${source}/mapping`, 409, importOf(), 'import'],
    ['PATCH', `${W}/importsource/${source}/mapping`, 204, importOf(), 'import'],
    ['GET', `${W}/importsource/${source}/schema-and-mapping`, 200, undefined, 'import'],
    ['POST', `${W}/importsource/${source}/executions`, 200, undefined, 'import'],
    ['GET', `${W}/importsource/${source}/executions/status`, 200, undefined, 'import'],
];

// Refused by the contract, and so by the simulator: [why, method, path, body, whose token]
const bad = ({ schema, type, label, source }) => [
    ['a schema without a key', 'POST', `${W}/objectschema/create`, { name: 'New' }],
    ['a schema with another member', 'POST', `${W}/objectschema/create`, { name: 'New', objectSchemaKey: 'NEW', colour: 'red' }],
    ['an object type without an icon', 'POST', `${W}/objecttype/create`, { name: 'New', objectSchemaId: schema }],
    ['an object type whose schema is a number', 'POST', `${W}/objecttype/create`, { name: 'New', iconId: '1', objectSchemaId: Number(schema) }],
    ['an attribute whose type is text', 'POST', `${W}/objecttypeattribute/${type}`, { name: 'New', type: '0', defaultTypeId: 0 }],
    ['a plain attribute without its kind', 'POST', `${W}/objecttypeattribute/${type}`, { name: 'New', type: 0 }],
    ['a reference without its relation', 'POST', `${W}/objecttypeattribute/${type}`, { name: 'New', type: 1, typeValue: type }],
    ['an attribute of a kind that is none', 'POST', `${W}/objecttypeattribute/${type}`, { name: 'New', type: 3 }],
    ['a status whose category is text', 'POST', `${W}/config/statustype`, { name: 'New', category: 'active' }],
    ['a relation without a name', 'POST', `${W}/config/referencetype`, { objectSchemaId: schema }],
    ['an object without its type', 'POST', `${W}/object/create`, { attributes: [] }],
    ['an object whose value is a number', 'POST', `${W}/object/create`, { objectTypeId: type, attributes: [value(label, 7)] }],
    ['an object with bare values', 'POST', `${W}/object/create`, { objectTypeId: type, attributes: [{ objectTypeAttributeId: label, objectAttributeValues: ['x'] }] }],
    ['AQL by its old name', 'POST', `${W}/object/aql`, { iql: 'objectType = Thing' }],
    ['AQL with another member', 'POST', `${W}/object/aql`, { qlQuery: 'objectType = Thing', page: 1 }],
    ['a page of none', 'POST', `${W}/object/aql?maxResults=0`, { qlQuery: 'objectType = Thing' }],
    ['an import of accounts', 'PATCH', `${W}/importsource/${source}/mapping`, importOf({ type: 'user' }), 'import'],
    ['a mapping with another member', 'PATCH', `${W}/importsource/${source}/mapping`, importOf({}, { colour: 'red' }), 'import'],
    ['a schema without a mapping', 'PATCH', `${W}/importsource/${source}/mapping`, { schema: importOf().schema }, 'import'],
];

export async function runAssets({ sim, front }, authorization, tell) {
    const tokens = { assets: authorization.jira };
    const send = (method, path, body, whose = 'assets') => {
        const text = body && JSON.stringify(body);
        return call(front.port, { method, path, body: text, headers: { authorization: tokens[whose],
            ...(text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : { 'content-length': 0 }) } });
    };
    const read = async (path) => JSON.parse((await send('GET', path)).body);

    await sim.control('POST', 'assets/schemas', { key: 'CON', name: 'Contract', types: ['Thing'] });
    const ids = { schema: (await read(`${W}/objectschema/list`)).values.find((s) => s.objectSchemaKey === 'CON').id };
    ids.type = (await read(`${W}/objectschema/${ids.schema}/objecttypes/flat`))[0].id;
    ids.label = (await read(`${W}/objecttype/${ids.type}/attributes`)).find((a) => a.label).id;
    const source = await sim.control('POST', 'assets/importsource', { schemaKey: 'CON' });
    ids.source = source.id;
    tokens.import = `Bearer ${source.token}`;
    for (const [method, path, status, body, whose] of good(ids)) {
        const answer = await send(method, path, body, whose);
        const found = front.violations.splice(0).map((v) => `${v.side}: ${v.message}`);
        tell(`${status} ${method} ${path.replace(W, '')}`, answer.status === status ? found : [`answered ${answer.status}: ${answer.body}`, ...found]);
    }
    for (const [why, method, path, body, whose] of bad(ids)) {
        const answer = await send(method, path, body, whose);
        const noticed = front.violations.splice(0).some((v) => v.side === 'request');
        tell(`refused: ${why}`, [...(answer.status === 400 ? [] : [`the simulator answered ${answer.status}: ${answer.body}`]), ...(noticed ? [] : ['the contract takes it'])]);
    }
}
