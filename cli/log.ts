import { jsonLog } from '@behalf/gateway';
import type { GatewayLog, LogLevel } from '@behalf/gateway';
import type { Log } from '@behalf/store';

/** One log for all parts: JSON lines on standard error. */
export function partsLog(least: LogLevel): Log & GatewayLog {
  const log = jsonLog(least);
  const say =
    (level: LogLevel) =>
    (message: string): void =>
      log.log(level, 'MESSAGE', { message });
  return {
    log: (level, code, facts) => log.log(level, code, facts),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
  };
}
