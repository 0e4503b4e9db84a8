/**
 * READMEs keep step with the code. Every value that a package exports stands in its README as code, and every name that opens a row of one
 * of its tables of exports is exported; the README of franca-train names every command and every evaluation.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Export, exportsOf } from './declarations';
import { entriesOf, publishedWorkspaces, readText, root, type Workspace } from './workspace';

/** Tables whose first column has one of these heads list exports. */
const API_HEADS = ['', 'function'];

export function checkApiTables(): string[] {
  const packages = publishedWorkspaces().filter(({ folder }) => folder.startsWith('packages/'));
  return [...packages.flatMap(packageProblems), ...appProblems('apps/train')];
}

function packageProblems(workspace: Workspace): string[] {
  const { folder } = workspace;
  const exported = entriesOf(workspace).flatMap(({ source }) => exportsOf(source));
  return readmeProblems(readText(`${folder}/README.md`), exported).map((problem) => `${folder}/README.md: ${problem}`);
}

/** What is wrong with a README that is to speak of these exports. */
export function readmeProblems(readme: string, exported: readonly Export[]): string[] {
  const spans = codeSpans(readme);
  const words = new Set(spans.flatMap((span) => span.match(/[\w$]+/g) ?? []));
  const names = new Set(exported.map(({ name }) => name));
  // one name may be in several entries
  const values = new Set(exported.filter(({ isType }) => !isType).map(({ name }) => name));
  const unnamed = [...values].filter((name) => !words.has(name));
  const unknown = apiRows(readme).filter((name) => !names.has(name));
  return [
    ...unnamed.map((name) => `does not name \`${name}\`, which is exported`),
    ...unknown.map((name) => `names \`${name}\` among the exports, which it is not`),
  ];
}

/** A command is a file of `commands/`, an evaluation one of `eval/tasks/`; both are named by the file. */
function appProblems(folder: string): string[] {
  const readme = readText(`${folder}/README.md`);
  const words = new Set(codeSpans(readme).flatMap((span) => span.split(' ')));
  return ['commands', 'eval/tasks'].flatMap((place) =>
    readdirSync(join(root, folder, 'src', place))
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => file.slice(0, -'.ts'.length))
      .filter((name) => !words.has(name))
      .map((name) => `${folder}/README.md: does not name \`${name}\` (src/${place}/${name}.ts)`),
  );
}

const codeSpans = (markdown: string): string[] =>
  [...markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);

/** The names that open code in the first column of tables of exports: `a(x)`, `b` give a and b. */
function apiRows(markdown: string): string[] {
  const tables = markdown.matchAll(/^\|(.*?)\|.*\n\|[ :|-]+\n((?:\|.*\n?)+)/gm);
  return [...tables]
    .filter(([, head = '']) => API_HEADS.includes(head.trim()) || head.trim().startsWith('export'))
    .flatMap(([, , rows = '']) => rows.trim().split('\n'))
    .flatMap((row) => codeSpans(row.split(/(?<!\\)\|/)[1] ?? ''))
    .flatMap((span) => /^[A-Za-z_$][\w$]*/.exec(span) ?? []);
}
