/** A supergraph as composition 2.9 wrote it: it checked no `@requires`, and recorded nothing. */
export function composedElsewhere(types: string, more: string = ''): string {
  return `schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)
  @link(url: "https://specs.apollo.dev/policy/v0.1", for: SECURITY)
  @link(url: "https://specs.behalf.dev/behalf/v0.1", import: ["@minimize", "@purpose", "@subject"])
  ${more}
{ query: Query }
directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @behalf__statedBy(subgraphs: [String!]!) on FIELD_DEFINITION | OBJECT
directive @context(name: String!) repeatable on OBJECT | INTERFACE | UNION
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String, contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @minimize(to: behalf__Strategy!, keep: Int, last: Int, showLength: Boolean, step: Float, unit: behalf__DateUnit, decimals: Int, spread: Float, unless: [[String!]!]) on FIELD_DEFINITION
directive @policy(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @purpose(of: [String!]!) repeatable on FIELD_DEFINITION | OBJECT
directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @subject(field: String!) on OBJECT
enum behalf__DateUnit @join__type(graph: ONE) { DAY @join__enumValue(graph: ONE) }
enum behalf__Strategy @join__type(graph: ONE) { MASK @join__enumValue(graph: ONE) REDACT @join__enumValue(graph: ONE) }
input join__ContextArgument { name: String! type: String! context: String! selection: join__FieldValue! }
scalar join__FieldSet
scalar join__FieldValue
enum join__Graph { ONE @join__graph(name: "one", url: "http://one") TWO @join__graph(name: "two", url: "http://two") }
scalar link__Import
enum link__Purpose { SECURITY EXECUTION }
scalar policy__Policy
scalar requiresScopes__Scope
${types}`;
}
