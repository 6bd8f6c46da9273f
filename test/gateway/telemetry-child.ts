/**
 * Runs as its own process: starts a gateway, sends one request, closes the gateway, waits until nothing is under way, and prints
 * every address that was looked up or connected to.
 */
import dns from 'node:dns';
import net from 'node:net';
import type * as Gateway from '../../gateway/index.js';

const reached: string[] = [];

const { lookup } = dns;
function recordLookup(this: unknown, ...parameters: unknown[]): unknown {
  reached.push(`lookup ${String(parameters[0])}`);
  return Reflect.apply(lookup, this, parameters);
}
dns.lookup = recordLookup as typeof dns.lookup;

const connect = Reflect.get(net.Socket.prototype, 'connect') as (...parameters: unknown[]) => net.Socket;
net.Socket.prototype.connect = function (this: net.Socket, ...parameters: unknown[]) {
  const given = parameters.flat().find((part) => typeof part === 'object' && part !== null) as
    { host?: string; port?: number | string; path?: string } | undefined;
  reached.push(`connect ${given?.host ?? given?.path ?? JSON.stringify(parameters)}`);
  return Reflect.apply(connect, this, parameters);
};

const { fetch } = globalThis;
globalThis.fetch = (input, init) => {
  const address = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url;
  reached.push(`fetch ${new URL(address).hostname}`);
  return fetch(input, init);
};

const [supergraph = '', issuer = '', token = '', entry = ''] = process.argv.slice(2);
const { startGateway, silentLog } = (await import(entry)) as typeof Gateway;
const gateway = await startGateway(
  { listen: { port: 0 }, supergraph, issuers: [{ issuer, audience: 'https://api.bank.example' }] },
  { log: silentLog },
);
const response = await fetch(`${gateway.url}/graphql`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  body: JSON.stringify({ query: '{ hello }' }),
});
const answer = await response.text();
await gateway.close();
process.once('beforeExit', () => process.stdout.write(JSON.stringify({ answer, reached })));
