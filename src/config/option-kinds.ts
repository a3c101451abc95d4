/** Kinds of values that several option tables use. */
import { z } from 'zod';

export const NAME_PATTERN = /^[a-z][a-z0-9-]{0,39}$/;

export const name = (what: string) =>
  z
    .string()
    .regex(NAME_PATTERN)
    .meta({ 'x-expects': `${what} in lower-case letters, digits and dashes` });

export const text = (description: string) => z.string().min(1).meta({ description });

export const url = (description: string) =>
  z.url({ protocol: /^https?$/ }).meta({ description, 'x-expects': 'an http:// or https:// address' });

/** `<key>_file` is accepted and documented beside each secret; the table does not list it. */
export const secret = (description: string) =>
  z.string().min(1).meta({ description, 'x-secret': true, 'x-expects': `a secret as \${VARIABLE}` });

export const seconds = (description: string, value: number, minimum = 1) =>
  z.int().min(minimum).max(86_400).default(value).meta({ description });
