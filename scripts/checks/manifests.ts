/** Every published package can stand alone on the registry: entry, README, licence, fields, and a changelog entry. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { publishedWorkspaces, readText, root, type Workspace } from './workspace';

export async function checkManifests(): Promise<string[]> {
  const licence = readText('LICENSE');
  const changesets = readdirSync(join(root, '.changeset'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => readText(`.changeset/${name}`));
  return publishedWorkspaces().flatMap((workspace) => {
    const { folder, manifest } = workspace;
    const problems = [...fieldProblems(workspace), ...fileProblems(folder)];
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
    ...(isPackage && { name: `@franca/${folder.slice('packages/'.length)}`, sideEffects: false }),
  };
  const problems = Object.entries(expected)
    .filter(([field, value]) => JSON.stringify(manifest[field]) !== JSON.stringify(value))
    .map(([field, value]) => `package.json: ${field} should be ${JSON.stringify(value)}`);
  for (const field of ['description', 'exports', 'files', 'engines']) {
    if (!manifest[field]) problems.push(`package.json: ${field} is missing`);
  }
  return problems;
}
