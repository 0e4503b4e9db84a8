/**
 * Every package by its README alone: in an empty project, installed exactly as the README says and in the isolated layout, in which only what
 * the line names can be imported, each TypeScript block is compiled strictly, the declarations of all packages included and without any setting of
 * libraries, and runs as plain JavaScript. All blocks together are compiled by an older TypeScript in the ordinary layout. What each took is printed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Published, Tarball } from '../publish';
import { readText, root, run } from '../workspace';
import { emptyProject, folderBytes, npmInstall } from './project';
import { readmeSections, type Section, type Snippet, tooNew } from './snippets';

/** Beside the one of this repository. */
const OLD_TYPESCRIPT = 'typescript@~5.9.3';
const COMPILER = 'node_modules/typescript/lib/tsc.js';
const AT_ONCE = 2;

interface Outcome {
  readonly name: string;
  problems: string[];
  seconds: number;
  bytes: number;
}

export async function checkReadmes(published: Published): Promise<string[]> {
  const { tarballs, registry, folder } = published;
  const outcomes: Outcome[] = [];
  const waiting = tarballs.values();
  const worker = async () => {
    for (const tarball of waiting) {
      const project = join(folder, 'readmes', tarball.folder.replace('/', '-'));
      emptyProject(project, registry.url);
      outcomes.push(await followReadme(tarball, project));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  printTable(outcomes);
  return [...outcomes.flatMap(({ problems }) => problems), ...(await oldTypeScriptProblems(published))];
}

async function oldTypeScriptProblems({ tarballs, project, folder }: Published): Promise<string[]> {
  const place = join(folder, 'old-typescript');
  emptyProject(place);
  const installed = await npmInstall(place, OLD_TYPESCRIPT);
  if (!installed.ok) return [`npm install ${OLD_TYPESCRIPT}: ${installed.output.trim()}`];
  const snippets = tarballs.flatMap((tarball) =>
    readmeSections(tarball.folder)
      .flatMap((section) => section.snippets)
      .map((snippet) => ({ ...snippet, name: `${tarball.folder.replace('/', '-')}-${snippet.name}` })),
  );
  writeSources(snippets, project);
  return (await compile(project, join(place, COMPILER))).map((line) => `${OLD_TYPESCRIPT}: ${line}`);
}

async function compile(project: string, compiler: string): Promise<string[]> {
  const { ok, output } = await run(process.execPath, [compiler, '-p', '.'], { cwd: project });
  return ok ? [] : output.trim().split('\n');
}

async function followReadme(tarball: Tarball, project: string): Promise<Outcome> {
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
    outcome.problems.push(...(await trySnippets(section.snippets, project)));
  }
  return outcome;
}

/** The program has no scope, by which npm would find the registry: its tarball stands for its name. */
function install({ packages }: Section, { manifest, path }: Tarball, project: string) {
  const named = packages.map((name) => (name === manifest.name && !name.startsWith('@') ? path : name));
  return npmInstall(project, '--install-strategy=linked', ...named);
}

async function trySnippets(snippets: readonly Snippet[], project: string): Promise<string[]> {
  const [first] = snippets;
  if (!first) return [];
  writeSources(snippets, project);
  const mistakes = await compile(project, join(root, COMPILER));
  if (mistakes.length) return mistakes.map((line) => `${first.where} and following: ${line}`);
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
