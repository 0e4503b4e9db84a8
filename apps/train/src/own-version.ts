/** The version of this program. This file stands at the root of the sources, as what several entries share lies at the root of `dist`. */
import { readFileSync } from 'node:fs';

/** Of the package.json beside `dist`, and beside the sources. */
export const ownVersion = (): string =>
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
