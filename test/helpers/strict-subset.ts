/** Words that OpenAI's strict subset takes ("Structured outputs", supported schemas and properties). */
const taken = new Set(
  "type properties required additionalProperties description enum const items anyOf minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minItems maxItems pattern format".split(
    " ",
  ),
);
const types = new Set(["string", "number", "boolean", "integer", "object", "array", "null"]);
const mostProperties = 5000;
const deepest = 10;

const asObject = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};

/** What a schema has that a provider in strict mode would refuse, each with its place; empty when it is good. */
export function strictFaults(schema: unknown, at = "#", depth = 0): string[] {
  const node = asObject(schema);
  const faults: string[] = [];
  for (const word of Object.keys(node)) if (!taken.has(word)) faults.push(`${at}: ${word} is not taken`);
  const kinds = [node["type"] ?? []].flat();
  if (kinds.length === 0 && node["anyOf"] === undefined) faults.push(`${at}: no type`);
  for (const kind of kinds) if (!types.has(String(kind))) faults.push(`${at}: no type ${String(kind)}`);
  if (depth > deepest) faults.push(`${at}: deeper than ${deepest}`);
  if (at === "#" && (node["type"] !== "object" || node["anyOf"] !== undefined))
    faults.push("#: the root is no object");
  if (kinds.includes("object")) {
    const properties = asObject(node["properties"]);
    const required = [node["required"] ?? []].flat();
    if (node["additionalProperties"] !== false) return [...faults, `${at}: an object must be closed`];
    if (Object.keys(properties).length > mostProperties) faults.push(`${at}: too many properties`);
    for (const [name, property] of Object.entries(properties)) {
      if (!required.includes(name)) faults.push(`${at}: ${name} is not required`);
      faults.push(...strictFaults(property, `${at}/${name}`, depth + 1));
    }
  }
  if (kinds.includes("array")) faults.push(...strictFaults(node["items"], `${at}/items`, depth + 1));
  for (const [index, each] of [node["anyOf"] ?? []].flat().entries())
    faults.push(...strictFaults(each, `${at}/${index}`, depth + 1));
  return faults;
}
