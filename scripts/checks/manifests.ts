/**
 * Every published package can stand alone on the registry: entry, README, licence, fields, a changelog entry; and a program has one copy of the engine
 * and of the layers, since whoever imports them asks for them as peers.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pageFields } from '../repository';
import { importsOf, sourceFiles } from './source-imports';
import { publishedWorkspaces, readText, root, type Workspace } from './workspace';

/** Of these a program must have one copy. */
const SINGLE = ['@franca/nn', '@franca/tensor'];

export async function checkManifests(): Promise<string[]> {
  const licence = readText('LICENSE');
  const changesets = readdirSync(join(root, '.changeset'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => readText(`.changeset/${name}`));
  return publishedWorkspaces().flatMap((workspace) => {
    const { folder, manifest } = workspace;
    const problems = [...fieldProblems(workspace), ...peerProblems(workspace), ...fileProblems(folder)];
    if (existsSync(join(root, folder, 'LICENSE')) && readText(`${folder}/LICENSE`) !== licence) {
      problems.push('LICENSE differs from the one in the root');
    }
    const announced = changesets.some(
      (text) => text.includes(`"${manifest.name}"`) || text.includes(`'${manifest.name}'`),
    );
    if (!announced && !existsSync(join(root, folder, 'CHANGELOG.md'))) {
      problems.push('neither CHANGELOG.md nor a file in .changeset names it (npx changeset)');
    }
    return problems.map((problem) => `${folder}: ${problem}`);
  });
}

function fileProblems(folder: string): string[] {
  const needed = ['src/index.ts', 'README.md', 'LICENSE', 'tsup.config.ts', 'tsconfig.json'];
  return needed.filter((name) => !existsSync(join(root, folder, name))).map((name) => `${name} is missing`);
}

function fieldProblems({ folder, manifest }: Workspace): string[] {
  const isPackage = folder.startsWith('packages/');
  const expected: Record<string, unknown> = {
    license: 'Apache-2.0',
    type: 'module',
    publishConfig: { access: 'public' },
    ...pageFields(folder),
    ...(isPackage && { name: `@franca/${folder.slice('packages/'.length)}`, sideEffects: false }),
  };
  const problems = Object.entries(expected)
    .filter(([field, value]) => JSON.stringify(manifest[field]) !== JSON.stringify(value))
    .map(([field, value]) => `package.json: ${field} should be ${JSON.stringify(value)}`);
  for (const field of ['description', 'keywords', 'exports', 'files', 'engines']) {
    if (!manifest[field]) problems.push(`package.json: ${field} is missing`);
  }
  return problems;
}

/** A package names what it imports of `SINGLE` as a peer, and as a development dependency, by which builds are ordered. A program has them. */
function peerProblems({ folder, manifest }: Workspace): string[] {
  const { dependencies = {}, devDependencies = {}, peerDependencies = {} } = manifest;
  const isPackage = folder.startsWith('packages/');
  const imported = sourceFiles(`${folder}/src`)
    .filter((file) => !file.endsWith('.test.ts'))
    .flatMap((file) => importsOf(file).map(({ specifier }) => specifier));
  return SINGLE.flatMap((name) => {
    const isImported = imported.some((specifier) => specifier === name || specifier.startsWith(`${name}/`));
    const problems: [wrong: boolean, problem: string][] = isPackage
      ? [
          [name in dependencies, 'is a peer, not a dependency'],
          [isImported && !(name in peerDependencies), 'is imported, and not among peerDependencies'],
          [isImported && devDependencies[name] !== '*', 'is imported, and not among devDependencies as "*"'],
          [!isImported && name in peerDependencies, 'is a peer, and not imported'],
        ]
      : [[isImported && !(name in dependencies), 'is imported, and not among dependencies']];
    return problems.filter(([wrong]) => wrong).map(([, problem]) => `package.json: ${name} ${problem}`);
  });
}
