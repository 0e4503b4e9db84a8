/**
 * Which files of a package a bundle holds: those that run on 64-bit Linux with glibc, and its licences. Types, maps, documents, tests and
 * the binaries for other systems are two thirds of what npm installs.
 */
import { readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { Part } from './closure';

const LEGAL = /^(licen[cs]e|copying|copyright|notice|third[-_]?party)/i;
/** TypeScript, declarations and sources alike, is for compilers. */
const NOT_RUN = /\.(map|[cm]?ts|tsx|flow|md|markdown|tsbuildinfo)$|^\./;
const NOT_RUN_FOLDERS: ReadonlySet<string> = new Set([
  'test',
  'tests',
  '__tests__',
  'docs',
  'example',
  'examples',
  '.bin',
]);
const OTHER_SYSTEM =
  /^(darwin|win32|android|ios|freebsd|openbsd|openharmony|sunos|aix|linux-(?!x64)|linux\w*-?musl)|musl|wasm32/;

/** What a package has beside what is used of it here. */
const NOT_USED: Readonly<Record<string, RegExp>> = {
  // figures are written in two of its eighteen weights
  '@expo-google-fonts/inter': /\.ttf$(?<!\/Inter_(400Regular|600SemiBold)\.ttf)/,
  // the same library once more for browsers, in two forms
  h5wasm: /\/dist\/(esm|iife)\//,
  // for browsers, and for require
  protobufjs: /\/dist\//,
  '@huggingface/hub': /\/dist\/(browser\/|.*\.js$)/,
  '@huggingface/tasks': /\/dist\/commonjs\//,
};

/** The program's own README is the manual that stays at hand without a network. */
const MANUALS: readonly string[] = ['node_modules/franca-train/README.md'];

/** Its files, relative to its folder. */
export function contentsOf({ name, folder, place, published }: Part): string[] {
  const chosen = (path: string): boolean =>
    MANUALS.includes(`${place}/${path}`) || (isRun(basename(path)) && !NOT_USED[name]?.test(`/${path}`));
  return filesBelow(folder, isLeftOut)
    .filter((path) => !published || published.some((entry) => path === entry || path.startsWith(`${entry}/`)))
    .filter(chosen);
}

const isRun = (name: string): boolean => LEGAL.test(name) || !NOT_RUN.test(name);
const isLeftOut = (name: string): boolean =>
  name === 'node_modules' || NOT_RUN_FOLDERS.has(name) || OTHER_SYSTEM.test(name);

/** All files below a folder, relative to it and sorted, without links and without the folders whose name `leaveOut` takes. */
export function filesBelow(folder: string, leaveOut: (name: string) => boolean = () => false): string[] {
  const files: string[] = [];
  const visit = (path: string): void => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const below = join(path, entry.name);
      if (entry.isFile()) files.push(relative(folder, below));
      if (entry.isDirectory() && !leaveOut(entry.name)) visit(below);
    }
  };
  visit(folder);
  return files.sort();
}
