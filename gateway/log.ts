export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * What the gateway logs: an event with a stable code and facts that hold no token, value, argument or variable.
 */
export interface GatewayLog {
  log(level: LogLevel, code: string, facts?: Readonly<Record<string, string | number | boolean>>): void;
}

export const silentLog: GatewayLog = { log: () => undefined };

const ORDER: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Writes one JSON object per line. */
export function jsonLog(
  least: LogLevel = 'info',
  write = (line: string) => void process.stderr.write(line),
): GatewayLog {
  return {
    log(level, code, facts = {}) {
      if (ORDER.indexOf(level) < ORDER.indexOf(least)) return;
      write(`${JSON.stringify({ time: new Date().toISOString(), level, code, ...facts })}\n`);
    },
  };
}
