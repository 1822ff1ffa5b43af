import { command } from '../lib/cli/command.ts'
import { carryGeneration } from '../lib/flows/carry-generation.ts'
import { runPartyCommand } from '../lib/flows/party-command.ts'

await command({
  name: 'migrate-party',
  summary:
    'Writes FATE model packages for other party ids, imports them, and carries generations to another fleet.',
  description:
    'CONFIG is migrate_model.json. New packages stand beside the former ones, which stay as they are: all of them or none.\n' +
    'import PACKAGE takes a package, or what import_model.json names, into a model_local_cache.\n' +
    'generation [dg_N] --fleet FILE serves a generation of this fleet in another one, under another name and owner.',
  positionals: { min: 1, max: 2, names: ['CONFIG | import | generation', 'PACKAGE | dg_N'] },
  flags: {
    from: {
      type: 'string',
      value: 'PATH',
      description: 'model_local_cache, a directory of archives, or one package (default: model_local_cache)',
    },
    to: {
      type: 'string',
      value: 'DIRECTORY',
      description: 'where new packages are written (default: beside the former ones)',
    },
    as: {
      type: 'string',
      value: 'FORM | dg_N',
      description:
        'directory, archive or both (default: both); of a generation its name there (default: the next one)',
    },
    fleet: {
      type: 'string',
      value: 'FILE',
      description: 'the profile of the fleet that a generation goes to',
    },
    owner: {
      type: 'string',
      value: 'ID',
      description: 'who the generation belongs to there (default: whoever it belonged to)',
    },
    compat: {
      type: 'boolean',
      description: "what FATE-Flow's own migration makes of them, with its defects",
    },
    'keep-leftovers': {
      type: 'boolean',
      description: 'write packages also where former ids still stand in them; they are listed',
    },
    into: {
      type: 'string',
      value: 'DIRECTORY',
      description: 'the cache that import fills (default: model_local_cache)',
    },
    force: { type: 'boolean', description: 'import in place of a version that is there' },
    sha256: {
      type: 'string',
      value: 'HEX',
      description: 'what the archive to import shall be (default: as FILE.sha256 beside it says)',
    },
    server: {
      type: 'string',
      value: 'URL',
      description: 'let a FATE-Flow server do it, 1.5.1 to 1.11; judged by what each party answers',
    },
  },
  examples: [
    [
      'npx zx scripts/migrate-party.mjs migrate_model.json --dry-run',
      'tells what would change, and what would be left',
    ],
    [
      'npx zx scripts/migrate-party.mjs migrate_model.json --from model_local_cache',
      'writes the new packages',
    ],
    ['npx zx scripts/migrate-party.mjs import import_model.json --into model_local_cache', 'imports one'],
    [
      'npx zx scripts/migrate-party.mjs generation dg_8 --fleet config/partner.yml --owner guest-9999',
      "serves dg_8 in the partner's fleet",
    ],
  ],
  run: (context, { positionals, flags }) =>
    positionals[0] === 'generation'
      ? carryGeneration(context, { ...flags, generation: positionals[1] })
      : runPartyCommand(context, positionals, flags),
})
