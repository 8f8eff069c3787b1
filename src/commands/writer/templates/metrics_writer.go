// The writer to copy into a training program. It needs only Go's standard library. Change the name of the package.
package metrics

import (
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"sync"
)

var reported sync.Map

// WriteMetrics replaces the file at path. A failure is logged once and never stops the training.
func WriteMetrics(path string, job map[string]string, metrics map[string]float64) {
	if err := replace(path, job, metrics); err != nil {
		if _, known := reported.LoadOrStore(err.Error(), true); !known {
			log.Printf("Metrics were not written: %v", err)
		}
	}
}

func replace(path string, job map[string]string, metrics map[string]float64) error {
	values := map[string]any{}
	for name, value := range metrics {
		values[name] = value
		if math.IsNaN(value) || math.IsInf(value, 0) {
			values[name] = fmt.Sprint(value) // JSON has neither. The bridge reads them from text.
		}
	}
	content, err := json.Marshal(map[string]any{"job_metadata": job, "training_metrics": values})
	if err != nil {
		return err
	}
	folder, name := filepath.Split(path)
	if err := os.MkdirAll(filepath.Clean(folder), 0o755); err != nil {
		return err
	}
	// In the same folder, because a rename is atomic only within one file system.
	temporary := fmt.Sprintf("%s.%s.%d.tmp", folder, name, os.Getpid())
	if err := os.WriteFile(temporary, content, 0o644); err != nil {
		return err
	}
	// WriteFile's mode is limited by the umask, and the bridge usually runs as another user.
	if err := os.Chmod(temporary, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
