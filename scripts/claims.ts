/** `npm run claims`: writes docs/claims.md from the declarations. */
import { writeFile } from 'node:fs/promises';
import { claimsDocument, claimsHash } from '../src/experiments/claims';

await writeFile('docs/claims.md', claimsDocument());
process.stdout.write(`docs/claims.md, ${claimsHash().slice(0, 16)}\n`);
