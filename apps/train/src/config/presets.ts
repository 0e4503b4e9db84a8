/** Presets: configuration files that come with the program, each with a header that says what it is for. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { presetsFolder } from '../presets-folder';

export interface Preset {
  readonly name: string;
  readonly path: string;
  /** What the header states, by its label: what, command, memory, time, k-NN. */
  readonly facts: Readonly<Record<string, string>>;
}

const EXTENSION = '.yaml';

/** The path of a preset, or undefined if there is none of that name. */
export function presetNamed(name: string): string | undefined {
  const path = join(presetsFolder, `${name}${EXTENSION}`);
  return /^[\w-]+$/.test(name) && existsSync(path) ? path : undefined;
}

/** All presets, in the order of their names. */
export const listPresets = (): Preset[] =>
  readdirSync(presetsFolder)
    .filter((file) => file.endsWith(EXTENSION))
    .sort()
    .map((file) => {
      const path = join(presetsFolder, file);
      return { name: file.slice(0, -EXTENSION.length), path, facts: headerFacts(readFileSync(path, 'utf8')) };
    });

/** The lines `# label: text` at the top of a preset. */
function headerFacts(content: string): Record<string, string> {
  const facts: Record<string, string> = {};
  for (const line of content.split('\n')) {
    const [, label, value] = /^# ([\w -]+?): *(.*)$/.exec(line) ?? [];
    if (!line.startsWith('#')) break;
    if (label !== undefined) facts[label] = value!;
  }
  return facts;
}
