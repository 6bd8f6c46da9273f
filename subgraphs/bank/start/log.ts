import { jsonLog } from '../../../gateway/index.js';
import type { GatewayLog, LogLevel } from '../../../gateway/index.js';
import type { Log } from '../../../store/index.js';

/**
 * One log for all parts of the example: JSON lines on stderr.
 *
 * @param minimumLevel lines below this level are dropped
 */
export function partsLog(minimumLevel: LogLevel): Log & GatewayLog {
  const log = jsonLog(minimumLevel);
  const messageAt =
    (level: LogLevel) =>
    (message: string): void =>
      log.log(level, 'MESSAGE', { message });
  return {
    log: (level, code, facts) => log.log(level, code, facts),
    info: messageAt('info'),
    warn: messageAt('warn'),
    error: messageAt('error'),
  };
}
