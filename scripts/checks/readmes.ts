/**
 * Every TypeScript block of a package's README works as a reader would use it: all tarballs are installed into an empty
 * project, each block is one module of it, compiled strictly against the published types, and run. A block headed
 * "ts browser" needs a page and is only compiled.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';
import type { Published, Tarball } from './publish';
import { readText, root, run } from './workspace';

export async function checkReadmes({ tarballs, project }: Published): Promise<string[]> {
  const snippets = tarballs.flatMap(extractSnippets);
  const missing = tarballs.filter(({ folder }) => !snippets.some((snippet) => snippet.folder === folder));
  const problems = missing.map(({ folder }) => `${folder}/README.md has no \`\`\`ts block`);
  problems.push(...tarballs.flatMap((tarball) => strayImports(tarball, snippets)));

  compilerProject(project);
  for (const { name, code } of snippets) writeFileSync(join(project, 'src', `${name}.ts`), code);
  const compiled = await run(join(root, 'node_modules/.bin/tsc'), ['-p', project]);
  if (!compiled.ok) return [...problems, ...compiled.output.trim().split('\n')];
  for (const { name, where, runs } of snippets) {
    if (!runs) continue;
    const result = await run(process.execPath, [join(project, 'out', `${name}.js`)], {
      cwd: project,
      timeout: 120_000,
    });
    if (!result.ok) problems.push(`${where}: ${result.output.trim()}`);
  }
  return problems;
}

interface Snippet {
  folder: string;
  name: string;
  where: string;
  code: string;
  runs: boolean;
}

function extractSnippets({ folder }: Tarball): Snippet[] {
  const path = `${folder}/README.md`;
  if (!existsSync(join(root, path))) return [];
  return [...readText(path).matchAll(/^```ts( browser)?\n([\s\S]*?)^```/gm)].map(([, browser, code = ''], index) => ({
    folder,
    name: `${folder.replace(/\W/g, '-')}-${index + 1}`,
    where: `${folder}/README.md, block ${index + 1}`,
    // An import-free block would otherwise be a script and share its names with the others.
    code: `${code}\nexport {};\n`,
    runs: !browser,
  }));
}

/** A block may use its package, that package's own dependencies and Node: a reader has installed nothing else. */
function strayImports({ folder, manifest }: Tarball, snippets: readonly Snippet[]): string[] {
  const allowed = [manifest.name, ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })];
  return snippets
    .filter((snippet) => snippet.folder === folder)
    .flatMap(({ where, code }) =>
      ts
        .preProcessFile(code)
        .importedFiles.map(({ fileName }) => fileName)
        .filter((name) => !isBuiltin(name) && !allowed.some((own) => name === own || name.startsWith(`${own}/`)))
        .map((name) => `${where}: imports ${name}, which ${manifest.name} does not depend on`),
    );
}

function compilerProject(project: string): void {
  mkdirSync(join(project, 'src'), { recursive: true });
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2023',
        lib: ['es2023', 'esnext.disposable', 'dom'],
        module: 'nodenext',
        types: ['node'],
        strict: true,
        rootDir: 'src',
        outDir: 'out',
      },
      include: ['src'],
    }),
  );
}
