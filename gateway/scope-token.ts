/** RFC 6749 section 3.3: what a scope can be. In a list another one would be several, and in a header it could end the parameter. */
export const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
