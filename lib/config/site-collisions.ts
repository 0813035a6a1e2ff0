/** What two sites must not share, because they may be on the same proxy, where each of these names must be unique. */
import type { Site } from '../model/site.ts';

/** A file of sites/ and its site. */
export interface SiteFile {
  readonly file: string;
  readonly site: Site;
}

type Claim = readonly [what: string, name: string];

function claimsOf({ name, prefix, maps, gate }: Site): readonly Claim[] {
  return [
    ['the name', name],
    ['the prefix', prefix],
    ...maps.map((map): Claim => ['the file in conf.d/', map.name]),
    ...(gate
      ? ([
          ['the folder of the clients', gate.clients],
          ['the names of the variables and zones', `${gate.variables}_…`],
          ['the log format', gate.logFormat],
        ] as const)
      : []),
  ];
}

interface Collision {
  /** The names of both sites. */
  readonly sites: readonly string[];
  readonly text: string;
}

/** Every name that two sites use. */
export function collisionsOf(all: readonly SiteFile[]): readonly Collision[] {
  const owners = new Map<string, SiteFile>();
  return all.flatMap((one) =>
    claimsOf(one.site).flatMap(([what, name]) => {
      const key = `${what} ${name}`;
      const owner = owners.get(key) ?? one;
      owners.set(key, owner);
      return owner.file === one.file ? [] : [collision(owner, one, key)];
    }),
  );
}

const collision = (a: SiteFile, b: SiteFile, what: string): Collision => ({
  sites: [a.site.name, b.site.name],
  text: `${a.file} and ${b.file}: both have ${what}, and may be on the same proxy; change one of them`,
});
