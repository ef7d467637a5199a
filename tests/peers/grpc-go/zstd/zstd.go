// Package zstd registers the compressor of that name, which grpc-go leaves to its users.
package zstd

import (
	"io"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc/encoding"
)

// Name of the compressor.
const Name = "zstd"

func init() {
	encoding.RegisterCompressor(compressor{})
}

type compressor struct{}

func (compressor) Name() string {
	return Name
}

func (compressor) Compress(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w)
}

func (compressor) Decompress(r io.Reader) (io.Reader, error) {
	decoder, err := zstd.NewReader(r)
	if err != nil {
		return nil, err
	}
	return decoder.IOReadCloser(), nil
}
