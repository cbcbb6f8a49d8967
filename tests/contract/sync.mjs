// sync.mjs - drives the lives of sync_cases.mjs: the real program, clouds of its own each time, the validators in between.
import fs from 'node:fs';

import { Bridge, CONDITIONS, Simulator } from './bridge.mjs';
import * as cases from './sync_cases.mjs';

const CALLS = new URL('../../assets/call.c', import.meta.url);
const WORKSPACE = '/jsm/assets/workspace/{}/v1/';
const member = (of, path) => path.split('.').reduce((o, name) => o?.[name], of);

// What was printed otherwise than wanted.
function unlike(out, want) {
    let printed;
    try {
        printed = JSON.parse(out);
    } catch {
        return [`printed no JSON: ${out.slice(0, 400)}`];
    }
    return Object.entries(want).filter(([path, value]) => member(printed, path) !== value)
        .map(([path, value]) => `${path} is ${JSON.stringify(member(printed, path))}, wanted ${JSON.stringify(value)}: ${out.slice(0, 800)}`);
}

const anyOf = (calls, pattern) => calls.some((c) => new RegExp(pattern.startsWith('\\') ? pattern : `^${pattern}`).test(c));

class Life {
    constructor(variant, { sim, front, bridge, tell }) {
        Object.assign(this, { variant, sim, front, bridge, tell });
    }

    // One call of the control API, or the switch of the only import source.
    async prepare([method, what, body]) {
        if (method !== 'SWITCH')
            return this.sim.control(method, what, body);
        return this.sim.control('POST', 'assets/importsource', { id: this.source, disabled: what });
    }

    // An object changed, and one deleted, as a person would.
    async byHand() {
        const { objects } = await this.sim.control('GET', 'assets?type=Employee&limit=1000');
        const [edited, deleted] = objects.filter((o) => o.attributes.Status === 'Active');
        await this.sim.control('POST', 'assets/objects', [{ id: edited.id, attributes: { 'Job title': 'King' } }, { id: deleted.id, deleted: true }]);
    }

    async step(s) {
        for (const call of s.before ?? []) {
            const answer = await this.prepare(call);
            this.source = call[1] === 'assets/importsource' ? answer.id : this.source;
        }
        if (s.byHand)
            await this.byHand();
        if (s.sync)
            this.bridge.configure({ ...this.variant, sync: { ...this.variant.sync, ...s.sync } });
        this.front.calls.length = 0;
        const { end, text, out } = await this.bridge.run(...s.words);
        await this.front.settled();
        await this.sim.control('DELETE', 'faults');
        this.tell(`${s.words.filter((w) => !w.startsWith('--')).join(' ')}: ${s.why}`, [
            ...(end === (s.end ?? 0) ? [] : [`ended with ${end}: ${text.slice(-800)}`]),
            ...(s.want ? unlike(out, s.want) : []),
            ...(s.calls ?? []).filter((p) => !anyOf(this.front.calls, p)).map((p) => `never judged: ${p}`),
            ...(s.none ?? []).filter((p) => anyOf(this.front.calls, `\\d+ ${p}`)).map((p) => `was sent: ${p}`),
            ...this.front.violations.splice(0).map((v) => `${v.cloud}, ${v.side} of ${v.call}: ${v.message}`)]);
    }
}

async function runLife(life, { front, build, certificate, tell }) {
    console.log(`\n${life.title}`);
    const sim = await Simulator.start(build, `${certificate}.crt`, '--company-users', life.company[0], '--company-groups', life.company[1]);
    const variant = { policy: CONDITIONS, ...life, ...(life.serves ? { certificate } : {}) };
    front.simPort = sim.port;
    await sim.control('POST', 'settings', { app_role: 'user-administrator', ...life.settings });
    const bridge = await (life.serves ? Bridge.start(build, front.port, variant) : Bridge.prepare(build, front.port, variant));
    try {
        const driver = new Life(variant, { sim, front, bridge, tell });
        for (const s of life.steps)
            await driver.step(s);
    } finally {
        const end = life.serves ? (await bridge.stop()).end : 0;
        if (end !== 0)
            tell('stopped as it should', [`ended with ${end}`]);
        bridge.forget();
        sim.stop();
    }
}

// The calls that assets/call.c knows: -> [[name, 'METHOD /path/with/{}']]
function callsOfAssets() {
    const rows = [...fs.readFileSync(CALLS, 'utf8').matchAll(/\{ "(assets\.\w+)", "([A-Z]+)", (?:NULL|"([^"?]*)[^"]*")/g)];
    return rows.map(([, name, method, path]) =>
        [name, `${method} ${path?.startsWith('/jsm/') ? path : WORKSPACE + (path ?? `/${cases.links[name]}`).slice(1).replace(/\{\w+\}/g, '{}')}`]);
}

// A call that was added and is driven by no life would go unjudged.
function runCoverage(front, tell) {
    const rows = callsOfAssets();
    tell('assets/call.c was understood', rows.length > 20 ? [] : [`${rows.length} calls were found in it`]);
    const shapes = [...rows, ...cases.lists.map((shape) => ['seen', shape])];
    console.log('');
    for (const [name, shape] of shapes)
        tell(`${name}: ${shape}`, front.seen.has(shape) ? [] : [`never sent; seen were:\n          ${[...front.seen.keys()].sort().join('\n          ')}`]);
}

// world: { front, build, certificate (path without .crt and .key), tell }
export async function runSync(world) {
    world.front.seen.clear();
    for (const life of cases.lives)
        await runLife(life, world);
    runCoverage(world.front, world.tell);
}
