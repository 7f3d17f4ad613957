package cli

import (
	"github.com/countersign-auth/countersign/internal/server"
)

// databaseFlags name the database and the keyset of a command that works on them
// itself, without a server: the same that serve is given.
type databaseFlags struct {
	Database string `placeholder:"FILE|URL" group:"settings" help:"The database that serve is given; default countersign.db. Otherwise COUNTERSIGN_DATABASE holds it or COUNTERSIGN_DATABASE_FILE names a file that does."`
	Keyset   string `placeholder:"FILE" group:"settings" help:"The keyset that serve is given; the same default. Otherwise COUNTERSIGN_KEYSET holds it or COUNTERSIGN_KEYSET_FILE names the file."`
}

// config is what of a server's configuration these flags and the environment say.
func (f *databaseFlags) config(a *app) (server.Config, error) {
	config := server.Config{Database: f.Database, KeysetFile: f.Keyset, Now: a.now}
	return config, a.database(&config)
}

// database fills in the database and the keyset that no flag named.
func (a *app) database(config *server.Config) error {
	if config.KeysetFile == "" {
		if a.value("COUNTERSIGN_KEYSET") == "" {
			config.KeysetFile = a.value("COUNTERSIGN_KEYSET_FILE") // which may not be there yet
		} else {
			var err error
			if config.Keyset, err = a.secret("COUNTERSIGN_KEYSET", ""); err != nil {
				return err
			}
		}
	}
	if config.Database != "" {
		return nil
	}
	database, err := a.secret("COUNTERSIGN_DATABASE", "")
	if err != nil {
		return err
	}
	if config.Database = database.Reveal(); config.Database == "" {
		config.Database = "countersign.db"
	}
	return nil
}
