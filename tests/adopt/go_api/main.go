// A price API as an adopter may have it: plain HTTP on one port, no roles, no signals but SIGTERM.
package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/price", func(w http.ResponseWriter, r *http.Request) {
		pair := r.URL.Query().Get("pair")
		if pair == "" {
			http.Error(w, "which pair?", http.StatusBadRequest)
			return
		}
		answer(w, map[string]any{"pair": pair, "price": 0.5123})
	})
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]string{"status": "pass", "releaseId": os.Getenv("REVISION")})
	})
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	go func() {
		<-stop.Done()
		ending, release := context.WithTimeout(context.Background(), 20*time.Second)
		defer release()
		_ = server.Shutdown(ending)
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		println(err.Error())
		os.Exit(1)
	}
	<-stop.Done()
}
