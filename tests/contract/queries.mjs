// queries.mjs - which query options a contract knows for each call. Prism lets options pass that the document does not name; a misspelt one would go unseen.
import fs from 'node:fs';

export class Queries {
    #calls = [];            // { method, segments, names }

    constructor(contract) {
        const document = JSON.parse(fs.readFileSync(contract, 'utf8'));
        const resolve = (p) => (p.$ref ? p.$ref.split('/').slice(1).reduce((o, name) => o[name.replaceAll('~1', '/')], document) : p);
        for (const [path, methods] of Object.entries(document.paths))
            for (const method of ['get', 'post', 'put', 'patch', 'delete'].filter((m) => methods[m])) {
                const parameters = [...(methods[method].parameters ?? []), ...(methods.parameters ?? [])].map(resolve);
                this.#calls.push({ method: method.toUpperCase(), segments: path.split('/'), names: new Set(parameters.filter((p) => p.in === 'query').map((p) => p.name)) });
            }
    }

    // Names that the document does not know, of "/path?query" without a base path. A call that it does not know at all is Prism's to find.
    unknown(method, target) {
        const [path, query = ''] = target.split('?', 2);
        const segments = path.split('/');
        const fits = (c) => c.method === method && c.segments.length === segments.length && c.segments.every((s, i) => s.startsWith('{') || s === segments[i]);
        const literals = (c) => c.segments.filter((s) => !s.startsWith('{')).length;
        const found = this.#calls.filter(fits).sort((a, b) => literals(b) - literals(a))[0];
        return found && query ? [...new URLSearchParams(query).keys()].filter((name) => !found.names.has(name)) : [];
    }
}
