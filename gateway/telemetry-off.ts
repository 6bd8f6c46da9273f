/**
 * `@apollo/gateway` looks for a cloud's metadata service and exports usage metrics to its maker unless this is set
 * before it is made. A layer that protects data does not do that behind its users' backs.
 *
 * Must be imported before `@apollo/gateway`; `apollo.ts` is the only place that imports the package.
 */
process.env.APOLLO_TELEMETRY_DISABLED = 'true';
