/** Kinds of values that the configuration is made of, with messages that say what is allowed. */
import { z } from 'zod';

export const count = (): z.ZodNumber => z.int('expected a whole number').min(0, 'expected 0 or more');
export const positive = (): z.ZodNumber => z.int('expected a whole number').min(1, 'expected 1 or more');
export const amount = (): z.ZodNumber => z.number('expected a number').min(0, 'expected 0 or more');
export const share = (): z.ZodNumber =>
  z.number('expected a number').min(0, 'expected a number from 0 to 1').max(1, 'expected a number from 0 to 1');
export const flag = (): z.ZodBoolean => z.boolean('expected true or false');
export const text = (): z.ZodString => z.string('expected text');

/** Two numbers, the smaller first. */
export const range = (element: z.ZodType<number>): z.ZodType<[number, number]> =>
  z
    .tuple([element, element], 'expected [low, high]')
    .refine(([low, high]) => low <= high, 'expected the lower bound first');
