/** What of a model card is still to be filled in: the licence in its front matter, and the lines that an export marked. */
import { parse } from 'yaml';
import { TO_FILL_IN } from '../export/to-fill-in';

export interface CardFields {
  /** As the front matter names it; undefined where it is missing. */
  readonly license: string | undefined;
  /** Lines with a mark, shortened, by their numbers. */
  readonly toFillIn: readonly string[];
}

/** Reads a card. A front matter that is no YAML has no licence. */
export function cardFields(text: string): CardFields {
  const lines = text.split('\n');
  const toFillIn = lines.flatMap((line, i) => {
    const at = line.indexOf(TO_FILL_IN);
    return at < 0
      ? []
      : [
          `line ${i + 1}: ${line
            .slice(at + TO_FILL_IN.length)
            .trim()
            .slice(0, 100)}`,
        ];
  });
  return { license: licenseOf(text), toFillIn };
}

function licenseOf(text: string): string | undefined {
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1];
  try {
    const license: unknown = Object(front === undefined ? {} : parse(front)).license;
    return typeof license === 'string' && license.trim() !== '' ? license.trim() : undefined;
  } catch {
    return undefined;
  }
}
