import { freePort } from './free-port.js';

export interface Ports {
  readonly gateway: number;
  readonly authority: number;
  readonly customers: number;
  readonly accounts: number;
  readonly payments: number;
  readonly consent: number;
}

export const DEFAULT_GATEWAY_PORT = 4000;

/** The example's ports: the gateway's, and the others at fixed distances above it. */
export function portsFrom(gateway: number): Ports {
  return {
    gateway,
    authority: gateway + 1,
    customers: gateway + 11,
    accounts: gateway + 12,
    payments: gateway + 13,
    consent: gateway + 14,
  };
}

/** The same distances above a port at which all of them are free, so that a second example can run beside the first. */
export async function freePorts(): Promise<Ports> {
  return portsFrom(await freePort(Object.values(portsFrom(0))));
}
