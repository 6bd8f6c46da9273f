import { startGateway } from '@behalf/gateway';
import type { GatewayConfig } from '@behalf/gateway';

/**
 * A gateway on a machine whose clock is `SKEW_MS` ahead. It reads its configuration as JSON from `GATEWAY_CONFIG`, and prints its
 * address when it listens.
 */
const skewMs = Number(process.env.SKEW_MS);
const realNow = Date.now.bind(Date);
globalThis.Date = new Proxy(Date, {
  construct: (target, given: unknown[]) =>
    Reflect.construct(target, given.length === 0 ? [realNow() + skewMs] : given) as Date,
  get: (target, name) => (name === 'now' ? () => realNow() + skewMs : (Reflect.get(target, name) as unknown)),
});
Object.defineProperty(performance, 'timeOrigin', { value: performance.timeOrigin + skewMs });

const config = JSON.parse(process.env.GATEWAY_CONFIG ?? '') as GatewayConfig;
const gateway = await startGateway(config);
console.log(gateway.url);
