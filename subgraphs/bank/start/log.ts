import { jsonLog } from '@behalf/gateway';
import type { GatewayLog, LogLevel } from '@behalf/gateway';

/**
 * One log for all parts of the example: JSON lines on stderr.
 *
 * @param minimumLevel lines below this level are dropped
 */
export function partsLog(minimumLevel: LogLevel): GatewayLog {
  return jsonLog(minimumLevel);
}
