/** A name in every spelling that code needs, refused before anything is written where it cannot be one. */
import ts from 'typescript';
import { exportsOf } from '../checks/declarations';
import { Refusal } from './errors';

export interface Name {
  /** Of files: `row-squares`. */
  readonly kebab: string;
  /** Of functions: `rowSquares`. */
  readonly camel: string;
  /** Of classes: `RowSquares`. */
  readonly pascal: string;
  /** In prose: `row squares`. */
  readonly words: string;
}

const KEBAB_CASE = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
/** Words that no module may declare though the scanner takes them for names, and files that have a meaning of their own. */
const OTHER_RESERVED = new Set(['arguments', 'await', 'eval', 'undefined', 'index', 'errors']);

/** @throws Refusal for what is not kebab-case, and for reserved words */
export function nameOf(kebab: string): Name {
  if (!KEBAB_CASE.test(kebab)) throw new Refusal(`${kebab}: a name is written in kebab-case, as in row-squares`);
  const camel = kebab.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  if (isReserved(camel)) throw new Refusal(`${kebab}: ${camel} is a reserved word`);
  return { kebab, camel, pascal: camel[0]!.toUpperCase() + camel.slice(1), words: kebab.replaceAll('-', ' ') };
}

function isReserved(word: string): boolean {
  const token = ts.createScanner(ts.ScriptTarget.Latest, true, ts.LanguageVariant.Standard, word).scan();
  const isKeyword = token >= ts.SyntaxKind.FirstReservedWord && token <= ts.SyntaxKind.LastFutureReservedWord;
  return isKeyword || OTHER_RESERVED.has(word);
}

/** Refuses an identifier that `file` exports already. */
export function checkUnused(identifier: string, file: string): void {
  if (exportsOf(file).some(({ name }) => name === identifier))
    throw new Refusal(`${identifier} is taken: ${file} exports it`);
}
