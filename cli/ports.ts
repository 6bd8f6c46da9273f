export interface Ports {
  readonly gateway: number;
  readonly authority: number;
  readonly customers: number;
  readonly accounts: number;
  readonly payments: number;
  readonly consent: number;
}

export const DEFAULT_GATEWAY_PORT = 4000;

/** The ports of the example: the gateway's, and others at fixed distances from it. */
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
