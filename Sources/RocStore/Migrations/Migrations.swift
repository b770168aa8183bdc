import GRDB

/// The schema's history.
///
/// A released migration is never edited: a change is a new file.
enum Migrations {
  static var all: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 datasets and predictions", migrate: createTables)
    migrator.registerMigration("2 audits", migrate: keepListedNames)
    migrator.registerMigration("3 ratings", migrate: keepRatings)
    migrator.registerMigration("4 computed base names", migrate: computeBaseNames)
    migrator.registerMigration("5 votes of attributes", migrate: keepAttributeVotes)
    migrator.registerMigration("6 shared runs", migrate: shareRuns)
    migrator.registerMigration("7 hidden states", migrate: keepHiddenStates)
    migrator.registerMigration("8 numbers of records", migrate: keepRecordNumbers)
    migrator.registerMigration("9 backbones", migrate: keepBackbones)
    return migrator
  }
}
