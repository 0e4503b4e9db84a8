/** Publishes what changed: `npm run release`. The last moment to see that the pages on npm say where the sources are. */
import { spawnSync } from 'node:child_process';
import { repositoryUrl } from './repository';

if (!repositoryUrl()) {
  console.error(
    'no package.json names a repository, and the pages on npm would lead nowhere: npm run repository -- <address>',
  );
  process.exitCode = 1;
} else {
  for (const args of [
    ['run', 'build'],
    ['exec', 'changeset', 'publish'],
  ])
    process.exitCode ||= spawnSync('npm', args, { stdio: 'inherit' }).status ?? 1;
}
