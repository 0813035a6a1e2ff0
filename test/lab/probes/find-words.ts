/** Searches a host's files, in memory and on disk, for forbidden words. */
import type { Host } from '../namespaces/host.ts';
import { local } from '../namespaces/process.ts';

/** The files of a host that contain one of `words`, apart from those of its base system. */
export async function filesWith(host: Host, words: readonly string[]): Promise<string[]> {
  const input = words.join('\n');
  const find = 'find /tmp /run -xdev -type f ! -name words -exec grep -lF -f /run/words {} +';
  const memory = await host.sh(`cat >/run/words; ${find}; rm /run/words`, { input });
  const layers = `/run/gatepost-lab/hosts/${host.name}`;
  const disk = await local({ nothrow: true, input })`grep -rlF -D skip -f - ${layers}`;
  const path = (file: string) => file.replace(layers, '').replace('/upper', '');
  return [...memory.stdout.split('\n'), ...disk.stdout.split('\n').map(path)].filter(Boolean);
}

/** The operator's files newer than `since` that contain one of `words`. */
export async function operatorFilesWith(since: string, words: readonly string[]): Promise<string[]> {
  const list =
    'find /tmp /var/tmp /root /run /dev/shm -xdev -type f -newer "$0" -size -50M ! -path "*/hosts/*" -print0';
  const { stdout } = await local({
    nothrow: true,
    input: words.join('\n'),
  })`sh -c ${`cat >"$0.words"; ${list} | xargs -0r grep -lF -f "$0.words" -- 2>/dev/null; rm "$0.words"`} ${since}`;
  return stdout.split('\n').filter((file) => file !== '' && file !== `${since}.words`);
}
