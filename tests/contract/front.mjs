// front.mjs - what entrabridge talks to instead of the simulator: it sends each call through the Prism of its cloud and
// notes every violation of a contract, in either direction.
//
//   entrabridge -> front -> Prism (graph, token, jira, jsm, assets) -> back -> simulator
//
// Prism follows redirects by itself and would judge what stands there instead: the back hides where they lead, the front tells it.
// Prism serves no base path (/v1.0, /ex/jira/{cloudId}), so the front takes it off and each Prism's upstream puts it back. The back gives
// the Host that the program used, since links in answers and the audience of client assertions are made of it.
// A $batch is checked as a whole, and then each of its items as a request of its own: it goes through a further Prism whose
// upstream is a shelf, from which the very answer of that item is taken. So nothing is asked of the simulator twice.
import http from 'node:http';

import { call, startPrism } from './prism.mjs';
import { Queries } from './queries.mjs';

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'proxy-authorization',
    'proxy-connection', 'host', 'content-length', 'sl-violations']);
const HIDDEN_LOCATION = 'x-location';
const GATEWAY = /^\/ex\/jira\/[^/]+(?=\/(rest|jsm)\/)/;

// First match decides. `strip` is what Prism must not see.
const ROUTES = [
    { cloud: 'token', match: /^\/[^/]+\/oauth2\/v2\.0\/token(\?|$)/, strip: /^/ },
    { cloud: 'graph', match: /^\/v1\.0\//, strip: /^\/v1\.0/ },
    { cloud: 'jsm', match: /^(\/ex\/jira\/[^/]+)?\/rest\/servicedeskapi\//, strip: GATEWAY },
    { cloud: 'jira', match: /^(\/ex\/jira\/[^/]+)?\/rest\/api\//, strip: GATEWAY },
    { cloud: 'assets', match: /^(\/ex\/jira\/[^/]+)?\/jsm\/assets\//, strip: GATEWAY },
];

function endToEnd(headers) {
    return Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));
}

function renamed(headers, from, to) {
    return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name === from ? to : name, value]));
}

async function readAll(stream) {
    const parts = [];
    for await (const part of stream)
        parts.push(part);
    return Buffer.concat(parts);
}

const lengthOf = (request, body) => (body.length > 0 || request.headers['content-length'] ? { 'content-length': body.length } : {});

// A call without its ids and its query: what kind of call it was.
function shapeOf(what) {
    return what.replace(/\?.*/, '').replace(/\/(?:users\('[^']*'\)|[^/]*(?:[0-9a-f]{8}-[0-9a-f-]{27}|%40|@)[^/]*)/gi, '/{}')
        .replace(/\/(issue|request)\/[^/]+/, '/$1/{}').replace(/\/(comment|project)\/[^/]+/, '/$1/{}')
        .replace(/\/(object(?:schema|type|typeattribute)?)\/\d+/, '/$1/{}');
}

export class Front {
    violations = [];        // { cloud, call, side: 'request' | 'response', message }
    checked = 0;            // calls that Prism has judged, items of batches included
    items = 0;              // of these, items of batches
    seen = new Map();       // 'METHOD /path/with/{}' -> how often
    calls = [];             // 'STATUS METHOD /path?query', in the order of their answers; whoever wants to look empties it
    #prisms = {};
    #queries = {};          // by Prism's name
    #pending = new Set();
    #shelf = new Map();
    #nextItem = 1;

    static async start(contracts, simPort) {
        const front = new Front();
        front.simPort = simPort;
        const back = http.createServer((request, response) => front.#pass(request, response));
        await new Promise((done) => back.listen(0, '127.0.0.1', done));
        const shelf = http.createServer((request, response) => front.#serveItem(request, response));
        await new Promise((done) => shelf.listen(0, '127.0.0.1', done));
        const server = http.createServer((request, response) => front.#serve(request, response));
        await new Promise((done) => server.listen(0, '127.0.0.1', done));
        front.port = server.address().port;
        front.servers = [server, back, shelf];
        const sim = `http://127.0.0.1:${back.address().port}`;
        const plan = [
            ['graph', 'graph', `${sim}/v1.0`], ['token', 'graph', sim], ['jira', 'jira', sim], ['jsm', 'jsm', sim], ['assets', 'assets', sim],
            ['item', 'graph', `http://127.0.0.1:${shelf.address().port}`],
        ];
        const started = await Promise.all(plan.map(([name, contract, upstream]) =>
            startPrism(name, `${contracts}/${contract}.openapi.json`, upstream)));
        const queries = new Map();
        plan.forEach(([name, contract], i) => {
            front.#prisms[name] = started[i];
            if (!queries.has(contract))
                queries.set(contract, new Queries(`${contracts}/${contract}.openapi.json`));
            front.#queries[name] = queries.get(contract);
        });
        return front;
    }

    // Resolves when every item of every batch so far has been judged.
    async settled() {
        while (this.#pending.size > 0)
            await Promise.all(this.#pending);
    }

    async stop() {
        await this.settled();
        for (const server of this.servers) {
            server.closeAllConnections();
            server.close();
        }
        for (const prism of Object.values(this.#prisms))
            prism.stop();
    }

    #note(cloud, what, side, message) {
        this.violations.push({ cloud, call: what, side, message });
    }

    #judgeQuery(prism, cloud, what, method, target) {
        for (const name of this.#queries[prism].unknown(method, target))
            this.#note(cloud, what, 'request', `the document knows no query option ${name}`);
    }

    // Prism's findings: [{ location: ['request', 'body', …], severity, code, message }]
    #judge(cloud, what, answer) {
        this.checked++;
        this.calls.push(`${answer.status} ${what}`);
        const shape = shapeOf(what);
        this.seen.set(shape, (this.seen.get(shape) ?? 0) + 1);
        for (const v of JSON.parse(answer.headers['sl-violations'] ?? '[]'))
            this.#note(cloud, what, v.location?.[0] === 'request' ? 'request' : 'response', `${(v.location ?? []).slice(1).join('.')} ${v.message}`.trim());
    }

    async #serve(request, response) {
        const body = await readAll(request);
        const route = ROUTES.find((r) => r.match.test(request.url));
        const what = `${request.method} ${request.url}`;
        if (!route) {
            this.#note('none', what, 'request', 'belongs to no cloud');
            response.writeHead(404).end();
            return;
        }
        let answer;
        try {
            answer = await call(this.#prisms[route.cloud].port, {
                method: request.method, path: request.url.replace(route.strip, ''),
                headers: { ...endToEnd(request.headers), ...lengthOf(request, body) }, body,
            });
        } catch {
            response.destroy();
            return;
        }
        this.#judge(route.cloud, what, answer);
        this.#judgeQuery(route.cloud, route.cloud, what, request.method, request.url.replace(route.strip, ''));
        if (route.cloud === 'graph' && /^\/v1\.0\/\$batch(\?|$)/.test(request.url) && answer.status === 200)
            this.#unpack(request.headers.authorization, body, answer.body);
        response.writeHead(answer.status, { ...renamed(endToEnd(answer.headers), HIDDEN_LOCATION, 'location'), ...(answer.status === 204 ? {} : { 'content-length': answer.body.length }) });
        response.end(answer.status === 204 ? undefined : answer.body);
    }

    // From Prism to the simulator, as if the program had spoken to it. A broken connection is handed on as one.
    async #pass(request, response) {
        const body = await readAll(request);
        try {
            const answer = await call(this.simPort, { method: request.method, path: request.url, body,
                headers: { ...endToEnd(request.headers), ...lengthOf(request, body), host: `127.0.0.1:${this.port}` } });
            const redirects = answer.status >= 300 && answer.status < 400;
            response.writeHead(answer.status, redirects ? renamed(endToEnd(answer.headers), 'location', HIDDEN_LOCATION) : endToEnd(answer.headers));
            response.end(answer.status === 204 ? undefined : answer.body);
        } catch {
            response.destroy();
        }
    }

    #unpack(authorization, requestBody, answerBody) {
        const { requests } = JSON.parse(requestBody);
        const { responses } = JSON.parse(answerBody);
        const answers = new Map(responses.map((r) => [r.id, r]));
        if (new Set(requests.map((r) => r.id)).size !== requests.length)
            this.#note('graph', '$batch', 'request', 'two items have one id');
        for (const item of requests) {
            const what = `$batch item: ${item.method} ${item.url}`;
            const answer = answers.get(item.id);
            if (!item.url.startsWith('/') || item.url.startsWith('/v1.0'))
                this.#note('graph', what, 'request', 'the URL of an item begins with / and is relative to the version root');
            else if (!answer)
                this.#note('graph', what, 'response', 'the item got no answer');
            else
                this.#watch(this.#checkItem(authorization, item, answer, what));
        }
    }

    #watch(promise) {
        const tracked = promise.catch((error) => this.#note('graph', '$batch', 'request', `the item could not be checked: ${error.message}`))
            .finally(() => this.#pending.delete(tracked));
        this.#pending.add(tracked);
    }

    async #checkItem(authorization, item, answer, what) {
        const key = String(this.#nextItem++);
        const body = item.body === undefined ? undefined : JSON.stringify(item.body);
        this.#shelf.set(key, answer);
        const judged = await call(this.#prisms.item.port, {
            method: item.method, path: item.url, body,
            headers: { accept: 'application/json', ...item.headers, authorization, 'x-item': key, ...(body ? { 'content-length': Buffer.byteLength(body) } : {}) },
        });
        if (this.#shelf.delete(key))
            this.#note('graph', what, 'request', `did not pass the validator: it answered ${judged.status}`);
        this.items++;
        this.#judge('graph', what, judged);
        this.#judgeQuery('item', 'graph', what, item.method, item.url);
    }

    // The upstream of the Prism for items.
    #serveItem(request, response) {
        const key = request.headers['x-item'];
        const answer = this.#shelf.get(key);
        request.resume();
        if (!answer) {
            response.writeHead(500).end();
            return;
        }
        this.#shelf.delete(key);
        const isJson = answer.body !== undefined && typeof answer.body !== 'string';
        const body = answer.body === undefined ? '' : isJson ? JSON.stringify(answer.body) : answer.body;
        response.writeHead(answer.status, { ...(answer.body === undefined ? {} : { 'content-type': isJson ? 'application/json' : 'text/plain' }),
            ...endToEnd(Object.fromEntries(Object.entries(answer.headers ?? {}).map(([n, v]) => [n.toLowerCase(), String(v)]))) });
        response.end(answer.status === 204 ? undefined : body);
    }
}
