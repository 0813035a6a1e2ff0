/** The origins whose pages may use a gate from a browser (CORS) -> lines of the map that allows them. */

const MAP = /map \$http_origin \$\w+ \{\n {4}default "";\n/;

/**
 * Adds a line for each of `origins` to the map of the gate in `text`. The keys are regexes, because nginx compares string keys
 * case-insensitively.
 */
export function withOrigins(text: string, origins: readonly string[]): string {
  const lines = origins.map((origin) => `    "~^${literal(origin)}\\z" $http_origin;\n`);
  return text.replace(MAP, (map) => map + lines.join(''));
}

const literal = (text: string): string => text.replace(/[^a-z0-9]/gi, '\\$&');
