import { jsonLog } from '@behalf/gateway';
import type { GatewayLog, LogLevel } from '@behalf/gateway';
import type { Log } from '@behalf/store';

/** One log for all parts: JSON lines on standard error. */
export function partsLog(least: LogLevel): GatewayLog {
  return jsonLog(least);
}
