// prism.mjs - starts Prism as a validating proxy in front of an upstream, one process a contract.
import { spawn } from 'node:child_process';
import http from 'node:http';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const PRISM = fileURLToPath(new URL('node_modules/@stoplight/prism-cli/dist/index.js', import.meta.url));
const START_LIMIT_MS = 120_000;

export async function freePort() {
    const server = net.createServer();
    await new Promise((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done));
    const { port } = server.address();
    await new Promise((done) => server.close(done));
    return port;
}

// Resolves when `pattern` stands in what the child prints; rejects when it ends before, or takes too long.
export function awaitLine(child, pattern, name, limitMs) {
    return new Promise((resolve, reject) => {
        let text = '';
        const timer = setTimeout(() => reject(new Error(`${name} did not start in ${limitMs} ms:\n${text}`)), limitMs);
        const look = (chunk) => {
            text += chunk;
            const found = pattern.exec(text);
            if (found) {
                clearTimeout(timer);
                resolve(found);
            }
        };
        child.stdout.setEncoding('utf8').on('data', look);
        child.stderr.setEncoding('utf8').on('data', look);
        child.once('exit', (code, signal) => {
            clearTimeout(timer);
            reject(new Error(`${name} ended (${signal ?? code}):\n${text}`));
        });
    });
}

// -> { port, stop() }. It validates and says in the header sl-violations what it found; it refuses nothing by itself.
export async function startPrism(name, contract, upstream) {
    const port = await freePort();
    const child = spawn(process.execPath, ['--max-http-header-size=1048576', PRISM, 'proxy', '-h', '127.0.0.1', '-p', String(port),
        '--cors', 'false', contract, upstream], { stdio: ['ignore', 'pipe', 'pipe'] });
    await awaitLine(child, /Prism is listening/, `Prism for ${name}`, START_LIMIT_MS);
    child.stdout.resume();
    child.stderr.resume();
    return { port, stop: () => child.kill('SIGTERM') };
}

// One HTTP call with node's own client: -> { status, headers, body: Buffer }. Rejects when the connection breaks.
export function call(port, { method, path, headers, body }) {
    return new Promise((resolve, reject) => {
        const request = http.request({ host: '127.0.0.1', port, method, path, headers, maxHeaderSize: 1 << 20 }, (response) => {
            const parts = [];
            response.on('data', (part) => parts.push(part));
            response.once('error', reject);
            response.once('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }));
        });
        request.once('error', reject);
        request.end(body);
    });
}
