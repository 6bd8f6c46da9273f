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

/**
 * Headers that a client must not be able to choose, although the configuration may set them. Backends trust them, because a proxy
 * states them and removes a client's own. The list cannot be complete: a proxy may use any name.
 */
const UNFORWARDABLE: readonly RegExp[] = [
  // An access token never reaches a subgraph, and neither does any other proof of an identity.
  /(?:^|-)authorization$/,
  /(?:^|-)(?:auth|access|id|identity|refresh|session|bearer|saml|sso)-token$/,
  /(?:^|-)(?:jwt|jwt-assertion|assertion|userinfo)$/,
  // The caller, by any proxy: Remote-User and what goes with it, X-WebAuth-User, iv-user.
  /(?:^|-)user(?:name)?$/,
  /^(?:x-)?remote-/,
  /^(?:x-)?(?:auth|authenticated|webauth|sso|saml|oidc|shib|impersonate)-/,
  // The same, by proxies with names of their own: nginx, HAProxy, Apache, Traefik (the client's certificate), AWS, Azure, Google,
  // Cloudflare, Pomerium, Tailscale, Authentik, Vouch, Kong, WebSEAL, Istio and SPIFFE.
  /(?:^|-)ssl-|client-?(?:cert|verify|principal)/,
  /^x-amzn-(?:mtls|oidc)|^x-apigateway-/,
  /^x-ms-(?:token|client)-/,
  /^x-goog-(?:iap|authenticated)|^x-appengine-/,
  /^cf-access-|^x-pomerium-|^tailscale-|^x-authentik-|^x-vouch-/,
  /^x-(?:consumer|credential|anonymous)(?:-|$)|^iv-|^x-jwt-|^x-spiffe-/,
  // The origin of a request.
  /forwarded/,
  /(?:^|-)(?:client-?|connecting-|originating-|peer-|real-|remote-|socket|source-|user-|connection-)ip(?:v6)?$/,
  // Its target.
  /^x-(?:original|rewrite)-|^x-envoy-|^x-host$/,
  /^x-(?:http-)?method(?:-override)?$/,
];

/** @param name In lower case. */
export function isOwnHeader(name: string): boolean {
  return OWN_NAMES.has(name) || OWN_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** @param name In lower case. */
export function isUnforwardableHeader(name: string): boolean {
  return isOwnHeader(name) || UNFORWARDABLE.some((pattern) => pattern.test(name));
}
