/** The last screen of a run: its figures, what they mean, where everything lies, and the commands that lead on. At most 80 columns, unless a path is longer. */
import { join } from 'node:path';
import { programCommand, type Started } from '../text/program';
import { BEST_TEACHER } from './best-reading';
import type { KnnFigures } from './knn-figures';
import { percent, type RunOutcome, verdict } from './verdict';

const WIDTH = 80;

/** The text of the screen for the run in `folder`. */
export function lastScreen(folder: string, outcome: RunOutcome, started?: Started): string {
  const at = (name: string): string => join(folder, name);
  const { best } = outcome;
  const command = (...words: readonly string[]): string => `  ${programCommand(words, started)}`;
  return [
    '',
    ...(outcome.knn ? [...figures(outcome.knn, outcome.steps), ''] : []),
    ...wrap(verdict(outcome), WIDTH),
    '',
    `report:  ${at('report.html')}`,
    `teacher: ${at('teacher.safetensors')}`,
    ...(best && best.step !== outcome.knn?.step
      ? [`best:    ${at(BEST_TEACHER)} (step ${best.step}, ${percent(best.share)})`]
      : []),
    '',
    'What it sees in held-out pictures (or in yours: name them at the end):',
    command('show', '-w', folder),
    'All evaluations, on one page:',
    command('eval', 'all', '-w', folder),
    'The same on your own pictures:',
    command('pretrain', '--data', 'folder/of/pictures'),
  ].join('\n');
}

/** The accuracies, one a line. */
function figures(knn: KnnFigures, steps: number): string[] {
  const rows = accuracies(knn);
  const width = Math.max(...rows.map(({ name }) => name.length));
  return [
    `${knn.k}-NN: share of ${knn.images} held-out pictures (${knn.classes} classes) named right`,
    ...rows.map(({ name, share }, i) => {
      const when = i === rows.length - 1 && knn.step > 0 ? `   step ${knn.step} of ${steps}` : '';
      return `  ${name.padEnd(width)}  ${percent(share).padStart(7)}${when}`;
    }),
  ];
}

/** What is compared, the trained network last. */
export function accuracies({ step, chance, share, pixels, start }: KnnFigures): { name: string; share: number }[] {
  return [
    { name: 'always the most frequent class', share: chance },
    { name: 'raw pixels', share: pixels.share },
    ...(start
      ? [{ name: start.weights === 'untrained' ? 'untrained network' : 'weights it started from', share: start.share }]
      : []),
    { name: step > 0 ? 'trained network' : 'network at step 0', share },
  ];
}

/** Lines of at most `width` columns, broken between words. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)}${lines.at(-1) ? ' ' : ''}${word}`;
    if (longer.length > width && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines;
}
