/**
 * What annotations of pairs are made of, read from JSON that nobody has checked: numbers, points, boxes, names. Each refusal names the file and the
 * place in it.
 */
import type { FileTree } from '@franca/data';
import { TrainError } from '../errors';
import { parseJson } from './parse-json';

/** A value somewhere in a file. */
export interface JsonPlace {
  readonly value: unknown;
  /** File and path in it, for messages: `pairs.json: pairs[3].box`. */
  readonly where: string;
}

/** @throws TrainError `data` where the file is missing or no JSON */
export async function readJson(tree: FileTree, path: string): Promise<JsonPlace> {
  const where = `${tree.name}: ${path}`;
  return { value: parseJson(where, await tree.read(path)), where };
}

/** A part of an object; `undefined` where there is none, or `null` stands there. */
export function partOf({ value, where }: JsonPlace, name: string): JsonPlace {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong({ value, where }, 'an object');
  const part = Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
  return { value: part ?? undefined, where: `${where}: ${name}` };
}

export function listOf({ value, where }: JsonPlace): JsonPlace[] {
  if (!Array.isArray(value)) throw wrong({ value, where }, 'a list');
  return value.map((each: unknown, at) => ({ value: each, where: `${where}[${at}]` }));
}

export function textOf(place: JsonPlace): string {
  if (typeof place.value !== 'string' || place.value === '') throw wrong(place, 'a text');
  return place.value;
}

/** So many finite numbers. */
export function numbersOf(place: JsonPlace, count: number): number[] {
  const { value } = place;
  if (!Array.isArray(value) || value.length !== count || !value.every((each) => Number.isFinite(each)))
    throw wrong(place, `${count} numbers`);
  return value as number[];
}

export function pointOf(place: JsonPlace): readonly [x: number, y: number] {
  const [x, y] = numbersOf(place, 2);
  return [x!, y!];
}

/** A box with an extent. */
export function boxOf(place: JsonPlace): readonly [x0: number, y0: number, x1: number, y1: number] {
  const [x0, y0, x1, y1] = numbersOf(place, 4) as [number, number, number, number];
  if (x1 <= x0 || y1 <= y0) throw wrong(place, 'a box [left, top, right, bottom] with an extent');
  return [x0, y0, x1, y1];
}

/** Change of viewpoint. */
export function viewpointOf(place: JsonPlace): number {
  if (![0, 1, 2].includes(place.value as number)) throw wrong(place, '0, 1 or 2');
  return place.value as number;
}

const SHOWN = 60;

function wrong({ value, where }: JsonPlace, wanted: string): TrainError {
  const said = JSON.stringify(value)?.slice(0, SHOWN) ?? 'missing';
  return new TrainError('data', `${where} is ${said}; it must be ${wanted}`);
}
