/**
 * Headers that neither a client nor the configuration may set on a request to a subgraph: they frame the message (RFC 9110,
 * RFC 9112), or the gateway sets them itself.
 */
const OWN_NAMES: ReadonlySet<string> = new Set([
  // Framing and hop by hop: RFC 9110 section 7.6.1, RFC 9112 section 6.
  'connection',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'max-forwards',
  'te',
  'trailer',
  'trailers',
  'transfer-encoding',
  'upgrade',
  'via',
  // The gateway reads the response, and so chooses its encoding, type and range.
  'accept',
  'accept-encoding',
  'range',
  // Set by the gateway, or part of the trace context that it continues (W3C Trace Context, W3C Baggage).
  'baggage',
  'traceparent',
  'tracestate',
  'txn-token',
  // The client's credentials and their proofs (RFC 6265, RFC 9449, RFC 9440).
  'client-cert',
  'client-cert-chain',
  'cookie',
  'cookie2',
  'dpop',
  'dpop-nonce',
  'set-cookie',
  'set-cookie2',
]);
const OWN_PREFIXES: readonly string[] = [
  'apollo-',
  'apollographql-',
  'behalf-',
  'content-',
  'if-',
  'proxy-',
  'sec-',
  'x-apollo-',
];

/** Headers that a client must not be able to choose, although the configuration may set them. */
const CLIENT_NAMES: ReadonlySet<string> = new Set([
  // An access token never reaches a subgraph.
  'authorization',
  // The origin and target of a request. Backends trust these, and only a proxy may state them.
  'cf-connecting-ip',
  'fastly-client-ip',
  'forwarded',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-real-ip',
  'x-rewrite-url',
]);
const CLIENT_PREFIXES: readonly string[] = ['x-forwarded', 'x-original-', 'x-envoy-'];
/**
 * A verified identity or client certificate, as nginx, HAProxy, Apache, Traefik, Azure, AWS and Google state it: `x-ssl-client-s-dn`,
 * `x-client-verify`, `x-arr-clientcert`, `x-amzn-oidc-identity`, `x-ms-client-principal`, `x-goog-iap-jwt-assertion`.
 */
const PROXY_IDENTITY =
  /(?:^|-)ssl-|client-?(?:cert|verify|principal)|^x-amzn-(?:mtls|oidc)|^x-goog-(?:iap|authenticated)/;

/** @param name In lower case. */
export function isOwnHeader(name: string): boolean {
  return OWN_NAMES.has(name) || OWN_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** @param name In lower case. */
export function isUnforwardableHeader(name: string): boolean {
  return (
    isOwnHeader(name) ||
    CLIENT_NAMES.has(name) ||
    CLIENT_PREFIXES.some((prefix) => name.startsWith(prefix)) ||
    PROXY_IDENTITY.test(name)
  );
}
