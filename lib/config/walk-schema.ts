import { z } from 'zod'

/** The keys that a schema knows at a path, or none where it is no mapping. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const found = path.reduce<z.core.$ZodType | undefined>(
    (current, key) => current && childOf(current, key),
    schema,
  )
  const plain = found && unwrap(found)
  if (plain instanceof z.ZodRecord) return namesOf(plain.keyType)
  return plain instanceof z.ZodObject ? Object.keys(plain.shape) : []
}

function childOf(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType | undefined {
  const plain = unwrap(schema)
  if (plain instanceof z.ZodArray) return plain.element
  if (plain instanceof z.ZodRecord) return plain.valueType
  return plain instanceof z.ZodObject ? plain.shape[String(key)] : undefined
}

function namesOf(schema: z.core.$ZodType): string[] {
  return schema instanceof z.ZodEnum ? schema.options.map(String) : []
}

/** The schema below defaults, options and transformations: what the operator writes. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    return unwrap(schema.unwrap())
  }
  return schema instanceof z.ZodPipe ? unwrap(schema.in) : schema
}
