/** Which scheme of names the tensors of a file follow most: for messages about those that follow none. */
import { DINOV2_WITH_REGISTERS } from './dinov2';
import { FAMILIES } from './families';
import type { Names } from './family';

/** Entries that are one tensor; the others stand for a weight and a bias. */
const ONE_TENSOR = /(token|pos_embed|gamma|latent|weight|bias)$/;

interface Scheme {
  readonly name: string;
  /** Names with `#` for the number of a block. */
  readonly templates: readonly string[];
}

const templatesOf = (names: Names): string[] =>
  Object.entries(names).flatMap(([own, entry]) => {
    const theirs = typeof entry === 'string' ? [entry] : 'of' in entry ? [entry.of] : entry;
    return ONE_TENSOR.test(own) ? theirs : theirs.map((name) => `${name}.weight`);
  });

const schemes = (): readonly Scheme[] => [
  ...FAMILIES.map(({ name, names }) => ({ name, templates: templatesOf(names) })),
  {
    name: 'official or timm weights, which are opened without config.json',
    templates: templatesOf(Object.fromEntries(Object.keys(DINOV2_WITH_REGISTERS.names).map((name) => [name, name]))),
  },
];

/** In words: the scheme of which most names are there, `preferred` among equals; behind any prefix. */
export function nearestScheme(names: readonly string[], preferred: string): string {
  const endings = new Set<string>();
  for (const name of names) {
    const parts = name.replace(/\.\d+(?=\.)/g, '.#').split('.');
    // deeper than any name that is known
    for (let i = Math.max(0, parts.length - 8); i < parts.length; i++) endings.add(parts.slice(i).join('.'));
  }
  const ranked = schemes()
    .map(({ name, templates }) => ({ name, found: templates.filter((each) => endings.has(each)).length }))
    .sort((a, b) => b.found - a.found || Number(b.name === preferred) - Number(a.name === preferred));
  const [best] = ranked;
  if (!best || best.found === 0) return 'its names are like those of no family that is known';
  return best.name === preferred ? `${preferred} is the nearest to its names` : `its names are nearest to ${best.name}`;
}
