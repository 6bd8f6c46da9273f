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

/** Ports that are free at the moment, so that a second example can run beside the first. */
export async function freePorts(): Promise<Ports> {
  const [gateway, authority, customers, accounts, payments, consent] = await Promise.all(
    Array.from({ length: 6 }, () => freePort()),
  );
  if (
    gateway === undefined ||
    authority === undefined ||
    customers === undefined ||
    accounts === undefined ||
    payments === undefined ||
    consent === undefined
  ) {
    throw new Error('There are no free ports');
  }
  return { gateway, authority, customers, accounts, payments, consent };
}
