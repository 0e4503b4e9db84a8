/**
 * Every package by its README alone: in an empty project, installed exactly as the README says and in the isolated layout, in which only what
 * the line names can be imported, each TypeScript block is compiled strictly by two TypeScripts, the declarations of all packages included,
 * without any setting of libraries; and it runs as plain JavaScript. What each took is printed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Published, Tarball } from '../publish';
import { readText, root, run } from '../workspace';
import { emptyProject, folderBytes, npmInstall } from './project';
import { readmeSections, type Section, type Snippet, tooNew } from './snippets';

/** Beside the one of this repository. */
const OLD_TYPESCRIPT = 'typescript@~5.9.3';
const AT_ONCE = 2;

interface Outcome {
  readonly name: string;
  problems: string[];
  seconds: number;
  bytes: number;
}

export async function checkReadmes({ tarballs, registry, folder }: Published): Promise<string[]> {
  const compilers = [join(root, 'node_modules/typescript/lib/tsc.js'), await oldTypeScript(folder)];
  const outcomes: Outcome[] = [];
  const waiting = tarballs.values();
  const worker = async () => {
    for (const tarball of waiting) {
      const project = join(folder, 'readmes', tarball.folder.replace('/', '-'));
      emptyProject(project, registry.url);
      outcomes.push(await followReadme(tarball, project, compilers));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  printTable(outcomes);
  return outcomes.flatMap(({ problems }) => problems);
}

async function oldTypeScript(folder: string): Promise<string> {
  const project = join(folder, 'old-typescript');
  emptyProject(project, '');
  const { ok, output } = await npmInstall(project, OLD_TYPESCRIPT);
  if (!ok) throw new Error(`npm install ${OLD_TYPESCRIPT}: ${output.trim()}`);
  return join(project, 'node_modules/typescript/lib/tsc.js');
}

async function followReadme(tarball: Tarball, project: string, compilers: readonly string[]): Promise<Outcome> {
  const { folder, manifest } = tarball;
  const path = `${folder}/README.md`;
  const outcome: Outcome = { name: manifest.name, problems: tooNew(path, readText(path)), seconds: 0, bytes: 0 };
  const sections = readmeSections(folder);
  if (!sections.some(({ snippets }) => snippets.length)) outcome.problems.push(`${path} has no \`\`\`ts block`);
  if (!sections.some(({ packages }) => packages.includes(manifest.name)))
    outcome.problems.push(`${path}: no line \`npm install ${manifest.name}\``);
  for (const section of sections) {
    const { ok, output, seconds } = await install(section, tarball, project);
    if (!ok) return { ...outcome, problems: [...outcome.problems, `${path}: ${output.trim()}`] };
    outcome.seconds ||= seconds;
    outcome.bytes ||= folderBytes(join(project, 'node_modules'));
    outcome.problems.push(...(await trySnippets(section.snippets, project, compilers)));
  }
  return outcome;
}

/** The program has no scope, by which npm would find the registry: its tarball stands for its name. */
function install({ packages }: Section, { manifest, path }: Tarball, project: string) {
  const named = packages.map((name) => (name === manifest.name && !name.startsWith('@') ? path : name));
  return npmInstall(project, '--install-strategy=linked', ...named);
}

async function trySnippets(
  snippets: readonly Snippet[],
  project: string,
  compilers: readonly string[],
): Promise<string[]> {
  if (!snippets.length) return [];
  writeSources(snippets, project);
  for (const compiler of compilers) {
    const { ok, output } = await run(process.execPath, [compiler, '-p', '.'], { cwd: project });
    if (!ok)
      return output
        .trim()
        .split('\n')
        .map((line) => `${snippets[0]?.where} and following: ${line}`);
  }
  const problems: string[] = [];
  for (const { name, where, runs } of snippets) {
    if (!runs) continue;
    const { ok, output } = await run(process.execPath, [`out/${name}.js`], { cwd: project, timeout: 120_000 });
    if (!ok) problems.push(`${where}: ${output.trim()}`);
  }
  return problems;
}

function writeSources(snippets: readonly Snippet[], project: string): void {
  mkdirSync(join(project, 'src'), { recursive: true });
  for (const { name, code } of snippets) writeFileSync(join(project, 'src', `${name}.ts`), code);
  const compilerOptions = {
    target: 'es2022',
    module: 'nodenext',
    strict: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    rootDir: 'src',
    outDir: 'out',
  };
  const files = snippets.map(({ name }) => `src/${name}.ts`);
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
}

function printTable(outcomes: readonly Outcome[]): void {
  const rows = outcomes
    .toSorted((a, b) => a.name.localeCompare(b.name))
    .map(
      ({ name, seconds, bytes }) =>
        `     ${name.padEnd(28)}${seconds.toFixed(1).padStart(6)} s ${(bytes / 1e6).toFixed(1).padStart(8)} MB`,
    );
  console.log(['     by its README: time of npm install, size of node_modules', ...rows].join('\n'));
}
