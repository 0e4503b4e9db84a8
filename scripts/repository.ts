/**
 * The address of the repository stands in one place, `repository` of the root package.json, and on the npm page of every package:
 * `npm run repository -- https://example.org/owner/name` writes all of them. Without one the pages name none, and `npm run release` refuses.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Manifest, publishedWorkspaces, readManifest, root } from './checks/workspace';

/** The address that the root names, as a page. */
export function repositoryUrl(): string | undefined {
  const { repository } = readManifest('.') as Manifest & { repository?: { url: string } };
  return repository?.url.replace(/^git\+|\.git$/g, '');
}

/** What the package.json of a folder says of the repository: undefined means that the field is not there. */
export function pageFields(folder: string, url: string | undefined = repositoryUrl()): Record<string, unknown> {
  return {
    homepage: url && `${url}/tree/main/${folder}#readme`,
    bugs: url && { url: `${url}/issues` },
    repository: url && { type: 'git', url: `git+${url}.git`, ...(folder !== '.' && { directory: folder }) },
  };
}

function write(url: string): void {
  const { repository } = pageFields('.', url);
  for (const [folder, fields] of [
    ['.', { repository }] as const,
    ...publishedWorkspaces().map(({ folder }) => [folder, pageFields(folder, url)] as const),
  ]) {
    const { name, version, description, keywords, ...rest } = readManifest(folder);
    const manifest = { name, version, description, keywords, ...rest, ...fields };
    writeFileSync(join(root, folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [url] = process.argv.slice(2);
  if (!url || !/^https:\/\/[^/\s]+\/\S+[^/]$/.test(url)) {
    console.error('npm run repository -- <address of the repository, as https://host/owner/name>');
    process.exitCode = 1;
  } else write(url.replace(/\.git$/, ''));
}
