// SPDX-License-Identifier: MIT
//
// Asks a demo without pause through Node's fetch (HTTP/1.1) and its http2, with and without TLS. As asker.py.
//
// fetch sends nothing again whose answer it waits for. A session of http2 that was told to go ends by itself
// when its streams have; a new one for what is asked after that is the caller's, here connect(), and so is a
// stream that came too late for the old one: it was refused unprocessed (RFC 9113, section 8.7).

import crypto from 'node:crypto';
import http2 from 'node:http2';
import fs from 'node:fs';

const [plain, tls, certificate] = process.argv.slice(2);
const ca = fs.readFileSync(certificate);
const blob = Buffer.from(Array.from({ length: 20000 }, (_, i) => 65 + (i % 23)));
const digest = Buffer.from(`${blob.length} ${crypto.createHash('sha256').update(blob).digest('hex')}\n`);
const questions = [
        ['GET', '/test', undefined, Buffer.from('test 22222')],
        ['GET', '/blob?bytes=20000', undefined, blob],
        ['POST', '/echo', blob, digest],
];
let stop = false;

const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');

function byFetch(url) {
        return async (method, path, body) => {
                const answer = await fetch(url + path, { method, body });
                return [answer.status, answer.headers.get('x-generation'), Buffer.from(await answer.arrayBuffer())];
        };
}

function byHttp2(url) {
        let session;
        const connect = () => {
                const made = http2.connect(url, { ca, family: 4 });
                const forget = () => { if (session === made) session = undefined; };
                made.on('goaway', forget).on('close', forget).on('error', forget);
                return made;
        };
        const ask = (method, path, body) => new Promise((resolve, reject) => {
                session ??= connect();
                const stream = session.request({ ':method': method, ':path': path });
                const pieces = [];
                let head;
                stream.on('response', (fields) => { head = fields; });
                stream.on('data', (piece) => pieces.push(piece));
                stream.on('error', reject);
                stream.on('end', () => head ? resolve([head[':status'], head['x-generation'], Buffer.concat(pieces)])
                                            : reject(new Error('a stream ended without an answer')));
                stream.end(body);
        });
        ask.close = () => session?.close();
        return ask;
}

const isRefused = (error) => error.code === 'ERR_HTTP2_GOAWAY_SESSION' || /REFUSED_STREAM/.test(error.message);

function untilTaken(ask) {
        const again = (...question) => ask(...question).catch((error) => {
                if (isRefused(error))
                        return again(...question);
                throw error;
        });
        again.close = ask.close;
        return again;
}

async function run(name, ask) {
        const seen = { answers: 0, generations: {}, failures: [] };
        for (let last = false; !last;) {
                last = stop;
                for (const [method, path, body, expected] of questions) {
                        try {
                                const [status, generation, answer] = await ask(method, path, body);
                                if (status !== 200 || !answer.equals(expected))
                                        throw new Error(`${method} ${path}: ${status}, ${answer.length} bytes`);
                                seen.answers++;
                                seen.generations[generation] = (seen.generations[generation] ?? 0) + 1;
                                if (seen.generations[generation] === 1)
                                        say({ lane: name, generation: Number(generation) });
                        } catch (error) {
                                seen.failures.push(`${method} ${path}: ${error} ${error.cause ?? ''}`);
                        }
                }
        }
        ask.close?.();
        return [name, seen];
}

process.stdin.on('end', () => { stop = true; }).resume();
const lanes = [plain, tls].flatMap((url) => [
        run(`${url.split(':')[0]} HTTP/1.1`, byFetch(url)),
        run(`${url.split(':')[0]} HTTP/2`, untilTaken(byHttp2(url))),
]);
say({ summary: Object.fromEntries(await Promise.all(lanes)) });
process.exit(0);
