/** What a README tells its reader to install, and the programs that it shows for that. */
import { readText } from '../workspace';

export interface Snippet {
  /** Name of its file: `block-1`. */
  readonly name: string;
  /** `packages/vit/README.md, block 1`. */
  readonly where: string;
  readonly code: string;
  /** A block headed "ts browser" needs a page, and is only compiled. */
  readonly runs: boolean;
}

/** An install line, and the programs between it and the next one. */
export interface Section {
  /** What follows `npm install`. */
  readonly packages: readonly string[];
  readonly snippets: readonly Snippet[];
}

export function readmeSections(folder: string): Section[] {
  return sectionsOf(`${folder}/README.md`, readText(`${folder}/README.md`));
}

/** The sections of a README. Blocks before the first install line need nothing, and are a section of their own. */
export function sectionsOf(path: string, text: string): Section[] {
  const sections: { packages: string[]; snippets: Snippet[] }[] = [{ packages: [], snippets: [] }];
  let count = 0;
  for (const [, kind = '', body = ''] of text.matchAll(/^```(.*)\n([\s\S]*?)^```/gm)) {
    if (/^ts\b/.test(kind)) {
      const name = `block-${++count}`;
      // an import-free block would otherwise be a script and share its names with the others
      const snippet = {
        name,
        where: `${path}, block ${count}`,
        code: `${body}\nexport {};\n`,
        runs: kind !== 'ts browser',
      };
      sections.at(-1)?.snippets.push(snippet);
    }
    const line = /^npm install (.+)$/m.exec(body)?.[1];
    if (line) sections.push({ packages: line.replace(/#.*/, '').trim().split(/\s+/), snippets: [] });
  }
  return sections.filter(({ packages, snippets }) => packages.length + snippets.length > 0);
}

/** Blocks that Node 20 would not read as they are. A block headed "ts using" shows the form of newer ones. */
export function tooNew(path: string, text: string): string[] {
  return [...text.matchAll(/^```ts(.*)\n([\s\S]*?)^```/gm)]
    .map(([, kind = '', body = ''], at) => ({ kind: kind.trim(), body, at: at + 1 }))
    .filter(({ kind, body }) => kind !== 'using' && /^\s*(await )?using \w/m.test(body))
    .map(({ at }) => `${path}, block ${at}: \`using\` is not in Node 20; end with \`await gpu.dispose()\``);
}
